// SPDX-License-Identifier: MIT
#include "quant/graph/graph.h"

#include "memmap/base/error.h"

namespace mcusim::graph {

const char* name_of(Kind kind) {
  static constexpr const char* kNames[] = {"conv",     "fully connected", "batch norm", "clamp",
                                           "add",      "max pool",        "avg pool",   "pad",
                                           "flatten",  "softmax"};
  return kNames[static_cast<size_t>(kind)];
}

int Graph::add_value(std::string value_name, uint32_t h, uint32_t w, uint32_t c) {
  values.push_back({std::move(value_name), h, w, c});
  return static_cast<int>(values.size()) - 1;
}

std::vector<int> Graph::consumers(int id) const {
  std::vector<int> result;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].in0 == id || nodes[i].in1 == id) result.push_back(static_cast<int>(i));
  return result;
}

uint64_t Graph::weight_count(const Node& node) const {
  const Value& in = values[node.in0];
  const Value& out = values[node.out];
  switch (node.kind) {
    case Kind::conv: return uint64_t{out.c} * node.kernel_h * node.kernel_w * (in.c / node.groups);
    case Kind::fully_connected: return in.elements() * out.c;
    default: return 0;
  }
}

uint64_t Graph::macs(const Node& node) const {
  const Value& out = values[node.out];
  return weight_count(node) * (node.kind == Kind::conv ? uint64_t{out.h} * out.w : 1);
}

uint32_t window_extent(const std::string& what, uint32_t in, uint32_t kernel, uint32_t stride,
                       uint32_t pad_before, uint32_t pad_after) {
  const uint64_t padded = uint64_t{in} + pad_before + pad_after;
  if (kernel == 0 || stride == 0 || padded < kernel)
    throw Error("{}: a window of {} with stride {} does not fit an extent of {} with padding {}+{}",
                what, kernel, stride, in, pad_before, pad_after);
  return static_cast<uint32_t>((padded - kernel) / stride + 1);
}

}  // namespace mcusim::graph
