// SPDX-License-Identifier: MIT
// What a stage of tiles costs and saves.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/patch/patch.h"

namespace mcusim::patch {

struct Cost {
  Choice choice;
  std::string stage_output;        // tensor
  uint32_t output_h = 0, output_w = 0;
  uint32_t input_h = 0, input_w = 0;  // cells of the input that a full tile reaches
  size_t operators = 0;            // of the patched network
  // Placed arenas: what a run takes, the network's input included.
  uint32_t arena_before_bytes = 0, arena_bytes = 0;
  // As MCUNetV2 counts (arXiv 2110.15352): an operator's input and output, a depthwise
  // operator in place, the stage's output at its full size while tiles run; neither
  // the network's input image nor what an open shortcut holds.
  uint64_t published_before_bytes = 0, published_bytes = 0;
  uint64_t stage_before_macs = 0, stage_macs = 0, total_before_macs = 0, total_macs = 0;
  uint64_t stage_full_macs = 0;    // with tiles at the border as large as the others

  double stage_overhead() const { return ratio(stage_macs, stage_before_macs); }
  double stage_full_overhead() const { return ratio(stage_full_macs, stage_before_macs); }
  double total_overhead() const { return ratio(total_macs, total_before_macs); }
  static double ratio(uint64_t after, uint64_t before) {
    return before ? static_cast<double>(after) / static_cast<double>(before) - 1 : 0;
  }
};

// `net` is placed. Weights are not looked at: a structure is enough.
Cost cost_of(const IntNet& net, const Choice& choice);

}  // namespace mcusim::patch
