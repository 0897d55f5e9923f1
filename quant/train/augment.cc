// SPDX-License-Identifier: MIT
#include "quant/train/augment.h"

#include <algorithm>

namespace mcusim::train {

std::vector<float> augmented(const std::vector<float>& input, const graph::Value& shape,
                             const Augmentation& changes, zoo::Random& random) {
  if (changes.max_shift_h == 0 && changes.max_shift_w == 0 && !changes.flip) return input;
  const auto shift = [&](unsigned most, uint32_t extent) {
    const auto limit = static_cast<int32_t>(std::min(most, extent - 1));
    return random.integer(-limit, limit);
  };
  const auto h = static_cast<int32_t>(shape.h), w = static_cast<int32_t>(shape.w);
  const int32_t down = shift(changes.max_shift_h, shape.h);
  const int32_t right = shift(changes.max_shift_w, shape.w);
  const bool mirrored = changes.flip && random.integer(0, 1) == 1;
  std::vector<float> result(input.size());
  for (int32_t y = 0; y < h; ++y)
    for (int32_t x = 0; x < w; ++x) {
      const int32_t row = std::clamp(y - down, 0, h - 1), column = std::clamp(x - right, 0, w - 1);
      const int32_t cell = row * w + (mirrored ? w - 1 - column : column);
      std::copy_n(&input[static_cast<size_t>(cell) * shape.c], shape.c,
                  &result[static_cast<size_t>(y * w + x) * shape.c]);
    }
  return result;
}

}  // namespace mcusim::train
