// SPDX-License-Identifier: MIT
// Real weights to stored ones: w is near scale * (stored - zero_point).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim::quantise {

enum class WeightMethod { min_max, least_squares };
WeightMethod parse_weight_method(const std::string& text);  // throws Error

struct StoredWeights {
  std::vector<uint8_t> stored;
  double scale = 1;
  int32_t zero_point = 0;  // need not lie within the stored range
};

// Asymmetric over the span's own range, or over the range widened to include 0.
// Least squares refines the min-max step (ten rounds, as the papers' code does).
StoredWeights quantise_weights(std::span<const float> weights, uint8_t bits, WeightMethod method,
                               bool include_zero);

// Zero points beyond this do not leave w - Zw in 16 bits.
inline constexpr int32_t kMaxZeroPoint = 32512;

}  // namespace mcusim::quantise
