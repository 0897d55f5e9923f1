// SPDX-License-Identifier: MIT
#include "quant/quantise/weights.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::quantise {
namespace {

constexpr int kRefinements = 10;  // quantop.py, init of the learned weight range

StoredWeights stored_with(std::span<const float> weights, double scale, int32_t zero_point,
                          int32_t top) {
  StoredWeights result{std::vector<uint8_t>(weights.size()), scale, zero_point};
  for (size_t i = 0; i < weights.size(); ++i)
    result.stored[i] = static_cast<uint8_t>(
        std::clamp<double>(std::nearbyint(weights[i] / scale) + zero_point, 0, top));
  return result;
}

double squared_error(std::span<const float> weights, const StoredWeights& q) {
  double error = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double difference = weights[i] - q.scale * (q.stored[i] - q.zero_point);
    error += difference * difference;
  }
  return error;
}

// With the stored values fixed, the best affine map to the weights is a line fit;
// with the map fixed, the best stored values are the nearest. The zero point is
// rounded in between, so a round may fail to improve: the best one is kept.
StoredWeights refined(std::span<const float> weights, StoredWeights start, int32_t top) {
  StoredWeights best = start;
  double least = squared_error(weights, best);
  for (const double shrink : {1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5}) {
    StoredWeights current = stored_with(
        weights, start.scale * shrink,
        static_cast<int32_t>(std::lround((start.zero_point - top / 2.0) / shrink + top / 2.0)), top);
    for (int round = 0; round < kRefinements; ++round) {
      const double error = squared_error(weights, current);
      if (error < least) {
        least = error;
        best = current;
      }
      double w_sum = 0, q_sum = 0, ww = 0, wq = 0;
      const auto n = static_cast<double>(weights.size());
      for (size_t i = 0; i < weights.size(); ++i) {
        const double q = current.stored[i];
        w_sum += weights[i];
        q_sum += q;
        ww += q * q;
        wq += q * weights[i];
      }
      const double spread = ww - q_sum * q_sum / n;
      if (spread <= 0) break;
      const double scale = (wq - w_sum * q_sum / n) / spread;
      if (!(scale > 0)) break;
      const double zero = q_sum / n - w_sum / n / scale;
      if (std::fabs(zero) > kMaxZeroPoint) break;
      current = stored_with(weights, scale, static_cast<int32_t>(std::lround(zero)), top);
    }
  }
  return best;
}

}  // namespace

WeightMethod parse_weight_method(const std::string& text) {
  if (text == "min-max") return WeightMethod::min_max;
  if (text == "least-squares") return WeightMethod::least_squares;
  throw Error("weight method '{}' (known: min-max, least-squares)", text);
}

StoredWeights quantise_weights(std::span<const float> weights, uint8_t bits, WeightMethod method,
                               bool include_zero) {
  double low = *std::min_element(weights.begin(), weights.end());
  double high = *std::max_element(weights.begin(), weights.end());
  if (include_zero) {
    low = std::min(low, 0.0);
    high = std::max(high, 0.0);
  }
  const int32_t top = (1 << bits) - 1;
  // Equal weights: one step away from zero holds them exactly.
  double scale = high > low ? (high - low) / top : std::fabs(high);
  if (scale == 0) return {std::vector<uint8_t>(weights.size(), 0), 1.0, 0};
  const double zero = -std::nearbyint(low / scale);
  if (std::fabs(zero) > kMaxZeroPoint) return quantise_weights(weights, bits, method, true);
  const auto start = stored_with(weights, scale, static_cast<int32_t>(zero), top);
  if (method == WeightMethod::min_max) return start;
  auto result = refined(weights, start, top);
  // A caller that asked for zero inside relies on storing it.
  if (include_zero && (result.zero_point < 0 || result.zero_point > top)) return start;
  return result;
}

}  // namespace mcusim::quantise
