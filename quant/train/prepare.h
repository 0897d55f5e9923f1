// SPDX-License-Identifier: MIT
// Before and after training: where the grids start, and the container they end in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quant/plan/problem.h"
#include "quant/quantise/compare.h"
#include "quant/train/trainer.h"

namespace mcusim::train {

// Stored inputs as the network sees them.
std::vector<float> on_grid(const std::vector<uint8_t>& stored, const quantise::Affine& input);

// Ranges from what the float network does on (some of) the training inputs. No
// flavour: folded or integer-normalised per layer, as the widths say.
Task prepare(const graph::Graph& graph, const graph::LayerGraph& layers,
             const plan::Problem& problem, const plan::Widths& widths,
             std::optional<plan::Flavour> flavour, const quantise::Affine& input,
             const std::vector<std::vector<float>>& training);

struct Packed {
  IntNet net;
  std::vector<uint8_t> file;
  uint32_t arena_bytes = 0;
  std::vector<std::string> repairs;
};

// The integer network of a trained one. Throws Error as quantise::convert does.
Packed finish(const Task& task, const plan::Problem& problem, const plan::Widths& widths,
              std::optional<plan::Flavour> flavour, bool input_signed, const Outcome& outcome);

// The trained network as a float one: its weights on their grids, activations free.
graph::Graph float_graph(const Task& task, const Outcome& outcome);

// Decisions of a container on stored inputs, by the host kernels.
std::vector<uint32_t> integer_top1(const std::vector<uint8_t>& file,
                                   const std::vector<quantise::Sample>& samples);

}  // namespace mcusim::train
