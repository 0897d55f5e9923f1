// SPDX-License-Identifier: MIT
#include "quant/graph/layers.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim::graph {
namespace {

bool is_output(const Graph& graph, int value) {
  return std::find(graph.outputs.begin(), graph.outputs.end(), value) != graph.outputs.end();
}

// The only reader of `value` when it is of `kind`, else -1.
int sole_reader(const Graph& graph, int value, Kind kind) {
  if (is_output(graph, value)) return -1;
  const auto readers = graph.consumers(value);
  return readers.size() == 1 && graph.nodes[readers[0]].kind == kind ? readers[0] : -1;
}

}  // namespace

LayerGraph fuse(const Graph& graph) {
  LayerGraph result;
  result.outputs = graph.outputs;
  std::vector<bool> taken(graph.nodes.size());
  std::string refused;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (taken[i]) continue;
    const Node& node = graph.nodes[i];
    Layer layer{node.name, static_cast<int>(i), -1, -1, node.in0, node.in1, node.out, node.kind};
    if (node.kind == Kind::softmax && is_output(graph, node.out)) {
      result.dropped.push_back("softmax " + node.name + " (the outputs are its logits)");
      std::replace(result.outputs.begin(), result.outputs.end(), node.out, node.in0);
      continue;
    }
    if (node.kind == Kind::clamp) {
      // Behind no layer that could take it along: an average over one cell, whose
      // output range does the clamping.
      layer.kind = Kind::avg_pool;
      layer.clamp = static_cast<int>(i);
      result.layers.push_back(std::move(layer));
      continue;
    }
    if (node.kind == Kind::batch_norm || node.kind == Kind::softmax) {
      refused += fmt::format("\n  {} ({})", node.name, name_of(node.kind));
      continue;
    }
    const bool weighted = node.kind == Kind::conv || node.kind == Kind::fully_connected;
    if (weighted) {
      layer.batch_norm = sole_reader(graph, layer.out, Kind::batch_norm);
      if (layer.batch_norm >= 0) layer.out = graph.nodes[layer.batch_norm].out;
    }
    if (weighted || node.kind == Kind::add) {
      layer.clamp = sole_reader(graph, layer.out, Kind::clamp);
      if (layer.clamp >= 0) layer.out = graph.nodes[layer.clamp].out;
    }
    for (const int fused : {layer.batch_norm, layer.clamp})
      if (fused >= 0) taken[fused] = true;
    const Value& in = graph.values[node.in0];
    const Value& out = graph.values[node.out];
    layer.depthwise = node.kind == Kind::conv && node.groups == in.c && out.c == in.c && in.c > 1;
    if (node.kind == Kind::conv && !layer.depthwise) layer.groups = node.groups;
    if (node.kind == Kind::pad && node.pad_value != 0)
      refused += fmt::format("\n  {} (pads with {}: only 0 is exact)", node.name, node.pad_value);
    if (node.kind == Kind::avg_pool && node.count_padding &&
        node.pad_top + node.pad_left + node.pad_bottom + node.pad_right > 0)
      refused += fmt::format("\n  {} (an average that counts padding)", node.name);
    result.layers.push_back(std::move(layer));
  }
  if (!refused.empty())
    throw Error("{}: these nodes cannot become integer layers:{}", graph.name, refused);
  return result;
}

}  // namespace mcusim::graph
