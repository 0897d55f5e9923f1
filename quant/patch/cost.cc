// SPDX-License-Identifier: MIT
#include "quant/patch/cost.h"

#include <algorithm>

#include "quant/pack/place.h"
#include "quant/patch/stage.h"
#include "quant/patch/tiles.h"

namespace mcusim::patch {
namespace {

uint64_t macs_of(const IntNet& net, size_t first, size_t last) {
  uint64_t sum = 0;
  for (size_t i = first; i < last; ++i) sum += macs(net, net.ops[i]);
  return sum;
}

// Cost::published_bytes; `tile_ops` operators run beside the stage's output.
uint64_t published_peak(const IntNet& net, size_t tile_ops, int stage_output) {
  uint64_t peak = 0;
  for (size_t i = 0; i < net.ops.size(); ++i) {
    const IntOp& op = net.ops[i];
    const uint64_t in = storage_bytes(net.tensors[op.in0]);
    const IntTensor& to = net.tensors[op.out];
    const bool into_stage = i < tile_ops && to.parent == stage_output;
    const uint64_t out = into_stage ? 0 : storage_bytes(to);
    uint64_t bytes = op.kind == net::OpKind::depthwise ? std::max(in, out) : in + out;
    if (op.in1 >= 0 && op.in1 != op.in0) bytes += storage_bytes(net.tensors[op.in1]);
    if (i < tile_ops && op.out != stage_output) bytes += storage_bytes(net.tensors[stage_output]);
    peak = std::max(peak, bytes);
  }
  return peak;
}

// Multiply-accumulates when no tile is cut at the border: cells grow, windows stay.
uint64_t full_macs(const IntNet& net, const Choice& choice, const Block& block, Region& input) {
  uint64_t sum = 0;
  for (const Region& region : split(net.tensors[block.output], choice.rows, choice.columns)) {
    const Tile tile = make_tile(net, block.op_count, region, Edge::full);
    for (size_t i = 0; i < block.op_count; ++i) {
      const IntTensor& out = net.tensors[net.ops[i].out];
      sum += macs(net, net.ops[i]) / (uint64_t{out.h} * out.w) *
             static_cast<uint64_t>(tile.ops[i].out.cells());
    }
    const Region& reached = tile.computed[net.inputs.at(0)];
    if (reached.cells() > input.cells()) input = reached;
  }
  return sum;
}

}  // namespace

Cost cost_of(const IntNet& net, const Choice& choice) {
  Patched made = patched(net, choice);
  place_tensors(made.net);
  const Block block = blocks_of(net).at(choice.blocks - 1);
  const IntTensor& output = net.tensors[block.output];

  Cost cost;
  cost.choice = choice;
  cost.stage_output = output.name;
  cost.output_h = output.h;
  cost.output_w = output.w;
  cost.operators = made.net.ops.size();
  cost.arena_before_bytes = net.arena_bytes;
  cost.arena_bytes = made.net.arena_bytes;
  cost.published_before_bytes = published_peak(net, 0, -1);
  cost.published_bytes = published_peak(made.net, made.tile_ops, made.stage_output);
  cost.stage_before_macs = macs_of(net, 0, block.op_count);
  cost.total_before_macs = macs_of(net, 0, net.ops.size());
  cost.stage_macs = macs_of(made.net, 0, made.tile_ops);
  cost.total_macs = macs_of(made.net, 0, made.net.ops.size());
  Region input;
  cost.stage_full_macs = full_macs(net, choice, block, input);
  cost.input_h = static_cast<uint32_t>(input.y.size());
  cost.input_w = static_cast<uint32_t>(input.x.size());
  return cost;
}

}  // namespace mcusim::patch
