// SPDX-License-Identifier: MIT
#include "quant/patch/stage.h"

#include <algorithm>

#include "kernels/host/names.h"

namespace mcusim::patch {
namespace {

// Operators whose output cell depends on a window of input cells.
bool is_local(const IntOp& op) {
  const KindRow* kind = find_kind(op.kind);
  return kind && (kind->is_windowed || kind->is_binary || op.kind == net::OpKind::pad);
}

bool is_spatial(const IntOp& op) {
  return op.kernel_h > 1 || op.kernel_w > 1 || op.stride_h > 1 || op.stride_w > 1;
}

bool is_pointwise(const IntOp& op) {
  return op.kind == net::OpKind::conv2d && !is_spatial(op);
}

// Whether nothing but `op`'s output is needed behind operator `index`.
bool alone_goes_on(const IntNet& net, size_t index) {
  const int output = net.ops[index].out;
  std::vector<bool> known(net.tensors.size());
  for (const int id : net.inputs) known[id] = true;
  for (size_t i = 0; i <= index; ++i) known[net.ops[i].out] = true;
  const auto crosses = [&](int id) { return id >= 0 && id != output && known[id]; };
  for (size_t i = index + 1; i < net.ops.size(); ++i) {
    const IntOp& op = net.ops[i];
    if (crosses(op.in0) || crosses(op.in1)) return false;
    known[op.out] = false;  // written anew: whatever it held is not needed
  }
  return std::none_of(net.outputs.begin(), net.outputs.end(), crosses);
}

// Views are told apart from their parents by whoever reads them later; a stage
// takes whole tensors only, each written once.
bool whole_tensors(const IntNet& net) {
  return std::all_of(net.tensors.begin(), net.tensors.end(),
                     [](const IntTensor& t) { return t.parent < 0; });
}

}  // namespace

std::vector<Block> blocks_of(const IntNet& net) {
  std::vector<Block> blocks;
  if (!whole_tensors(net)) return blocks;
  std::vector<bool> written(net.tensors.size());
  bool spatial = false;
  for (size_t i = 0; i < net.ops.size(); ++i) {
    const IntOp& op = net.ops[i];
    if (!is_local(op) || written[op.out]) break;
    written[op.out] = true;
    spatial |= is_spatial(op);
    const bool parted = op.kind == net::OpKind::depthwise && i + 1 < net.ops.size() &&
                        net.ops[i + 1].in0 == op.out && is_pointwise(net.ops[i + 1]);
    if (!spatial || parted || !alone_goes_on(net, i)) continue;
    blocks.push_back({i + 1, op.out});
    spatial = false;
  }
  return blocks;
}

}  // namespace mcusim::patch
