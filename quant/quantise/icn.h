// SPDX-License-Identifier: MIT
// The icn-floor arithmetic on the host: multipliers from real numbers and the
// exact floor, for every INT32 mantissa and INT8 exponent.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mcusim::quantise {

// value = mult * 2^(shift - 31); |mult| in [2^30, 2^31) unless 0.
struct Multiplier {
  int32_t mult = 0;
  int8_t shift = 0;
};

// Nearest multiplier; keeps the sign. Below 2^-128 the smallest one of that sign
// (its floor differs from the true one for no accumulator); throws Error above 2^127.
Multiplier multiplier_of(double value);
double value_of(Multiplier m);

// floor(acc * mult * 2^(shift - 31)), limited to +-2^62.
int64_t icn_floor(int64_t acc, Multiplier m);

inline uint8_t icn_output(int64_t acc, Multiplier m, int32_t zero_point, int32_t low,
                          int32_t high) {
  return static_cast<uint8_t>(std::clamp<int64_t>(zero_point + icn_floor(acc, m), low, high));
}

}  // namespace mcusim::quantise
