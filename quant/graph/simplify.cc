// SPDX-License-Identifier: MIT
#include "quant/graph/simplify.h"

#include <algorithm>
#include <cmath>

namespace mcusim::graph {
namespace {

// The index of the only node that reads `value`, or -1 for none, several and outputs.
int only_reader(const Graph& graph, int value) {
  const auto readers = graph.consumers(value);
  const bool is_output =
      std::find(graph.outputs.begin(), graph.outputs.end(), value) != graph.outputs.end();
  return readers.size() == 1 && !is_output ? readers[0] : -1;
}

// Whether the convolution may do the padding: of a window, less than its kernel per side.
bool takes(const Node& conv, const Node& pad) {
  return conv.kind == Kind::conv && pad.pad_value == 0 &&
         conv.pad_top + pad.pad_top < conv.kernel_h &&
         conv.pad_bottom + pad.pad_bottom < conv.kernel_h &&
         conv.pad_left + pad.pad_left < conv.kernel_w &&
         conv.pad_right + pad.pad_right < conv.kernel_w;
}

void drop(Graph& graph, const std::vector<bool>& unused) {
  size_t at = 0;
  std::erase_if(graph.nodes, [&](const Node&) { return unused[at++]; });
}

void merge_batch_norms(Graph& graph) {
  std::vector<bool> merged(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& first = graph.nodes[i];
    const int reader = first.kind == Kind::batch_norm ? only_reader(graph, first.out) : -1;
    if (reader < 0 || graph.nodes[reader].kind != Kind::batch_norm) continue;
    // The first goes into the second, which may go on into a third.
    Node& second = graph.nodes[reader];
    for (size_t c = 0; c < second.gamma.size(); ++c) {
      const float slope = second.gamma[c] / std::sqrt(second.variance[c] + second.epsilon);
      second.beta[c] += slope * (first.beta[c] - second.mean[c]);
      second.gamma[c] = slope * first.gamma[c];
    }
    second.mean = first.mean;
    second.variance = first.variance;
    second.epsilon = first.epsilon;
    second.in0 = first.in0;
    merged[i] = true;
  }
  drop(graph, merged);
}

void merge_clamps(Graph& graph) {
  std::vector<bool> merged(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& first = graph.nodes[i];
    const int reader = first.kind == Kind::clamp ? only_reader(graph, first.out) : -1;
    if (reader < 0 || graph.nodes[reader].kind != Kind::clamp) continue;
    Node& second = graph.nodes[reader];
    const float low = second.low, high = second.high;
    second.low = std::clamp(first.low, low, high);
    second.high = std::clamp(first.high, low, high);
    if (!(second.low < second.high)) {  // nothing between them: leave both
      second.low = low;
      second.high = high;
      continue;
    }
    second.in0 = first.in0;
    merged[i] = true;
  }
  drop(graph, merged);
}

// Whether the node that makes `value` takes a batch norm along.
bool takes_batch_norm(const Graph& graph, int value) {
  for (const Node& node : graph.nodes)
    if (node.out == value)
      return (node.kind == Kind::conv || node.kind == Kind::fully_connected) &&
             only_reader(graph, value) >= 0;
  return false;
}

void carry_batch_norms(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].kind != Kind::batch_norm) continue;
    const int from = graph.nodes[i].in0;
    if (takes_batch_norm(graph, from)) continue;
    const Value before = graph.values[from];
    Node conv;
    conv.name = graph.nodes[i].name + "/scale";
    conv.kind = Kind::conv;
    conv.groups = before.c;
    conv.weights.assign(before.c, 1.0f);
    conv.in0 = from;
    conv.out = graph.add_value(conv.name, before.h, before.w, before.c);
    graph.nodes[i].in0 = conv.out;
    graph.nodes.insert(graph.nodes.begin() + static_cast<long>(i), std::move(conv));
    ++i;
  }
}

void absorb_padding(Graph& graph) {
  std::vector<bool> absorbed(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& pad = graph.nodes[i];
    const int reader = pad.kind == Kind::pad ? only_reader(graph, pad.out) : -1;
    if (reader < 0 || !takes(graph.nodes[reader], pad)) continue;
    Node& conv = graph.nodes[reader];
    conv.pad_top += pad.pad_top;
    conv.pad_bottom += pad.pad_bottom;
    conv.pad_left += pad.pad_left;
    conv.pad_right += pad.pad_right;
    conv.in0 = pad.in0;
    absorbed[i] = true;
  }
  drop(graph, absorbed);
}

void clamp_before_max_pools(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].kind != Kind::max_pool) continue;
    const int reader = only_reader(graph, graph.nodes[i].out);
    if (reader < 0 || graph.nodes[reader].kind != Kind::clamp) continue;
    const int from = graph.nodes[i].in0, to = graph.nodes[reader].out;
    if (only_reader(graph, from) != static_cast<int>(i)) continue;
    const Value before = graph.values[from];
    const int middle =
        graph.add_value(graph.values[to].name + "/clamped", before.h, before.w, before.c);
    std::swap(graph.nodes[i], graph.nodes[reader]);
    graph.nodes[i].in0 = from;
    graph.nodes[i].out = middle;
    graph.nodes[reader].in0 = middle;
    graph.nodes[reader].out = to;
  }
}

}  // namespace

void simplify(Graph& graph) {
  merge_batch_norms(graph);
  merge_clamps(graph);
  carry_batch_norms(graph);
  absorb_padding(graph);
  clamp_before_max_pools(graph);
}

}  // namespace mcusim::graph
