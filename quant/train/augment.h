// SPDX-License-Identifier: MIT
// Random changes of training inputs that keep their class.
#pragma once

#include <vector>

#include "quant/graph/graph.h"
#include "quant/zoo/random.h"

namespace mcusim::train {

struct Augmentation {
  unsigned max_shift_h = 0, max_shift_w = 0;  // cells; those that come in repeat the edge
  bool flip = false;                          // left-right, with even odds
};

// An input [h][w][c], changed at random. Draws nothing when there is nothing to do.
std::vector<float> augmented(const std::vector<float>& input, const graph::Value& shape,
                             const Augmentation& changes, zoo::Random& random);

}  // namespace mcusim::train
