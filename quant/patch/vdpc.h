// SPDX-License-Identifier: MIT
// Value-driven patch classification (QuantMCU: Tao et al., arXiv 2401.13714): which
// tiles of the input hold outlier values, and what the feature maps hold.
//
// A normal distribution is fitted to the input map; values outside its central mass
// phi are outliers. Tiles are fixed in the container while images differ, so a tile is
// judged over all calibration inputs: it is of the outlier class when its share of
// outliers is above a threshold. The threshold 2 * (1 - phi), twice what the normal
// distribution itself leaves outside, is ours; 0 is the paper's wording, any outlier.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/patch/narrow.h"
#include "quant/patch/patch.h"

namespace mcusim::patch {

// Stored values over all calibration inputs, summed.
struct Observed {
  std::vector<Histogram> tensors;      // by format group; of tiles only what the tile computes
  Histogram input{};                   // of the network's first input
  std::vector<Histogram> tile_inputs;  // per tile: the part of it that the tile reads
  uint64_t samples = 0;
};

// Runs the placed network on the host, `threads` inputs at once. A sample holds the
// stored values of the first input, h*w*c.
Observed observe(const Patched& patched, const std::vector<std::vector<uint8_t>>& samples,
                 unsigned threads);

struct PatchClass {
  double outlier_share = 0;  // of the tile's input values
  bool outlier = false;
};

// `phi` in 0..1 exclusive.
std::vector<PatchClass> classify(const Observed& observed, double phi, double threshold);

}  // namespace mcusim::patch
