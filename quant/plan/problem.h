// SPDX-License-Identifier: MIT
// What a bit-width plan is about: tensors and layers by size alone, and the byte
// model of the papers (docs/quantisation.md, "Memory model").
//
// A layer needs its inputs, its output and whatever else is alive at that moment
// (`held`, empty in a chain). Tensors that must share a width (the two sides of a
// pool or pad) name the same width group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quant/graph/layers.h"

namespace mcusim::plan {

struct PlanTensor {
  std::string name;
  uint64_t elements = 0;
  bool fixed = false;              // network inputs and outputs stay at 8 bits
  int group = 0;                   // tensors of one group have one width
  uint8_t least_bits = 2;          // no narrower: slices of grouped convolutions begin on bytes
};

struct PlanLayer {
  std::string name;
  std::vector<int> inputs;         // tensors
  int output = 0;
  std::vector<int> held;           // other tensors alive while the layer runs
  uint64_t weights = 0;            // 0: a pool, an add: no width to choose
  uint32_t channels = 0;           // output channels
  uint64_t macs = 0;
  bool classifier = false;         // the last weighted layer: scaled, not normalised
};

struct Problem {
  std::string name;
  std::vector<PlanTensor> tensors;
  std::vector<PlanLayer> layers;   // execution order
};

Problem problem_of(const graph::Graph& graph, const graph::LayerGraph& layers);

struct Widths {
  std::vector<uint8_t> tensor_bits;  // per tensor
  std::vector<uint8_t> weight_bits;  // per layer, 0 without weights
};
Widths all_at(const Problem& problem, uint8_t activation_bits, uint8_t weight_bits);

// Arithmetic of a layer's parameters, which decides their bytes.
enum class Flavour { pl_fb, pl_icn, pc_icn, pc_thresholds };
// Mixed modes: `pl` folds batch norm where weights and output have 8 bits and
// normalises in integers elsewhere; `pc` is per-channel everywhere.
enum class Mode { pl, pc };
Flavour flavour_of(const Problem& problem, const Widths& widths, size_t layer, Mode mode);

uint64_t tensor_bytes(const Problem& problem, const Widths& widths, int tensor);
// Bytes alive while a layer runs, and the most of them over the network.
uint64_t activation_bytes(const Problem& problem, const Widths& widths, size_t layer);
uint64_t peak_activation_bytes(const Problem& problem, const Widths& widths);

uint64_t weight_bytes(const Problem& problem, const Widths& widths, size_t layer);
uint64_t parameter_bytes(const Problem& problem, const Widths& widths, size_t layer,
                         Flavour flavour);
// Read-only bytes as the papers count them.
uint64_t paper_bytes(const Problem& problem, const Widths& widths, Mode mode);
uint64_t paper_bytes(const Problem& problem, const Widths& widths, Flavour flavour);

}  // namespace mcusim::plan
