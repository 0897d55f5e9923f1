// SPDX-License-Identifier: MIT
#include "quant/plan/problem.h"

#include <algorithm>
#include <map>

#include "quant/pack/groups.h"

namespace mcusim::plan {
namespace {

uint64_t bytes_at(uint64_t elements, uint8_t bits) { return (elements * bits + 7) / 8; }

// Pools and pads move values without a scale of their own.
bool keeps_width(graph::Kind kind) {
  return kind == graph::Kind::max_pool || kind == graph::Kind::avg_pool ||
         kind == graph::Kind::pad || kind == graph::Kind::flatten;
}

}  // namespace

Problem problem_of(const graph::Graph& graph, const graph::LayerGraph& fused) {
  Problem problem{graph.name, {}, {}};
  std::map<int, int> tensor_of;  // value id -> tensor
  std::map<int, size_t> last_use;
  const auto tensor = [&](int value) {
    const auto [at, added] = tensor_of.try_emplace(value, static_cast<int>(problem.tensors.size()));
    if (added)
      problem.tensors.push_back(
          {graph.values[value].name, graph.values[value].elements(), false, at->second});
    return at->second;
  };
  for (const int input : graph.inputs) problem.tensors[tensor(input)].fixed = true;
  int classifier = -1;
  for (size_t i = 0; i < fused.layers.size(); ++i) {
    const auto& from = fused.layers[i];
    const auto& node = graph.nodes[from.node];
    PlanLayer layer;
    layer.name = from.name;
    layer.inputs = {tensor(from.in0)};
    if (from.in1 >= 0 && from.in1 != from.in0) layer.inputs.push_back(tensor(from.in1));
    layer.output = tensor(from.out);
    if (keeps_width(from.kind))
      problem.tensors[layer.output].group = problem.tensors[layer.inputs[0]].group;
    if (from.groups > 1)
      for (const auto& [id, value] : {std::pair{layer.inputs[0], from.in0}, {layer.output, from.out}})
        problem.tensors[id].least_bits =
            std::max(problem.tensors[id].least_bits,
                     least_slice_bits(graph.values[value].c / from.groups));
    layer.weights = graph.weight_count(node);
    layer.channels = graph.values[from.out].c;
    layer.macs = graph.macs(node);
    if (layer.weights > 0) classifier = static_cast<int>(i);
    for (const int in : layer.inputs) last_use[in] = i;
    problem.layers.push_back(std::move(layer));
  }
  if (classifier >= 0) problem.layers[classifier].classifier = true;
  for (const int output : fused.outputs) {
    const int id = tensor(output);
    problem.tensors[id].fixed = true;
    last_use[id] = problem.layers.size();
  }
  // A tensor is alive from the layer that makes it (inputs: the first) to its last reader.
  std::map<int, size_t> first_use;
  for (size_t i = 0; i < problem.layers.size(); ++i) first_use[problem.layers[i].output] = i;
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    auto& layer = problem.layers[i];
    for (const auto& [id, last] : last_use) {
      const auto made = first_use.find(id);
      const bool alive = last > i && (made == first_use.end() || made->second < i);
      const bool own = std::find(layer.inputs.begin(), layer.inputs.end(), id) !=
                       layer.inputs.end();
      if (alive && !own) layer.held.push_back(id);
    }
  }
  // What holds for one tensor of a width group holds for all.
  for (const auto& t : problem.tensors)
    for (auto& other : problem.tensors)
      if (other.group == t.group) {
        other.fixed |= t.fixed;
        other.least_bits = std::max(other.least_bits, t.least_bits);
      }
  return problem;
}

Widths all_at(const Problem& problem, uint8_t activation_bits, uint8_t weight_bits) {
  Widths widths;
  for (const auto& tensor : problem.tensors)
    widths.tensor_bits.push_back(tensor.fixed ? 8 : std::max(activation_bits, tensor.least_bits));
  for (const auto& layer : problem.layers)
    widths.weight_bits.push_back(layer.weights > 0 ? weight_bits : 0);
  return widths;
}

Flavour flavour_of(const Problem& problem, const Widths& widths, size_t layer, Mode mode) {
  if (mode == Mode::pc) return Flavour::pc_icn;
  const bool eight =
      widths.weight_bits[layer] == 8 && widths.tensor_bits[problem.layers[layer].output] == 8;
  return eight ? Flavour::pl_fb : Flavour::pl_icn;
}

uint64_t tensor_bytes(const Problem& problem, const Widths& widths, int tensor) {
  return bytes_at(problem.tensors[tensor].elements, widths.tensor_bits[tensor]);
}

uint64_t activation_bytes(const Problem& problem, const Widths& widths, size_t index) {
  const auto& layer = problem.layers[index];
  uint64_t bytes = tensor_bytes(problem, widths, layer.output);
  for (const int in : layer.inputs) bytes += tensor_bytes(problem, widths, in);
  for (const int held : layer.held) bytes += tensor_bytes(problem, widths, held);
  return bytes;
}

uint64_t peak_activation_bytes(const Problem& problem, const Widths& widths) {
  uint64_t peak = 0;
  for (size_t i = 0; i < problem.layers.size(); ++i)
    peak = std::max(peak, activation_bytes(problem, widths, i));
  return peak;
}

uint64_t weight_bytes(const Problem& problem, const Widths& widths, size_t layer) {
  return bytes_at(problem.layers[layer].weights, widths.weight_bits[layer]);
}

uint64_t parameter_bytes(const Problem& problem, const Widths& widths, size_t index,
                         Flavour flavour) {
  const auto& layer = problem.layers[index];
  if (layer.weights == 0) return 0;
  const uint64_t c = layer.channels;
  const bool per_channel = flavour == Flavour::pc_icn || flavour == Flavour::pc_thresholds;
  // Rusci's training code: quantization/quant_auto.py, bytes per layer; its
  // classifier needs no normalisation, and its per-channel Zw counts one byte.
  if (layer.classifier) return per_channel ? 4 * c + c + 4 + 2 * c : 4 * c + 20;
  switch (flavour) {
    case Flavour::pl_fb: return 4 * c + 20;
    case Flavour::pl_icn: return 4 * c + c + 4 * c + 12;
    case Flavour::pc_icn: return 4 * c + c + 4 * c + c + 8;
    case Flavour::pc_thresholds: break;
  }
  // INT16 x 2^Q per channel in place of Bq, M0 and N0.
  return 2 * c * (uint64_t{1} << widths.tensor_bits[layer.output]) + c + 8;
}

uint64_t paper_bytes(const Problem& problem, const Widths& widths, Mode mode) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < problem.layers.size(); ++i)
    bytes += weight_bytes(problem, widths, i) +
             parameter_bytes(problem, widths, i, flavour_of(problem, widths, i, mode));
  return bytes;
}

uint64_t paper_bytes(const Problem& problem, const Widths& widths, Flavour flavour) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < problem.layers.size(); ++i)
    bytes += weight_bytes(problem, widths, i) + parameter_bytes(problem, widths, i, flavour);
  return bytes;
}

}  // namespace mcusim::plan
