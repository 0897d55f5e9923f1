// SPDX-License-Identifier: MIT
// Arithmetic of the operators whose parameters are scalars (add, average pool),
// exact as in docs/net_format.md "Arithmetic".
//
// Everything is 64-bit and saturates far outside the output range, so each value
// of mantissa and shift the format admits is defined. Freestanding.
#pragma once

#include <stdint.h>

namespace mcusim::ops {

// floor(value * 2^shift), saturating at +-2^60.
inline int64_t floor_scale(int64_t value, int32_t shift) {
  constexpr int64_t kLimit = int64_t{1} << 60;
  if (shift <= 0) return value >> (shift < -63 ? 63 : -shift);
  if (value == 0) return 0;
  if (shift > 60 || value > (kLimit >> shift) || value < -(kLimit >> shift)) {
    return value > 0 ? kLimit : -kLimit;
  }
  return value * (int64_t{1} << shift);
}

// floor(a / b) for b > 0. Quotients of 32-bit values take the hardware divider.
inline int64_t floor_div(int64_t a, uint32_t b) {
  if (a == static_cast<int32_t>(a) && b <= 0x7FFFFFFFu) {
    const int32_t n = static_cast<int32_t>(a), d = static_cast<int32_t>(b);
    const int32_t q = n / d;
    return q - (n % d < 0);
  }
  const int64_t q = a / b;
  return q - (a % b < 0);
}

// (sum + n/2) / n away from zero, the mean of TFLite's average pool.
inline int32_t round_div(int32_t sum, int32_t n) {
  return sum >= 0 ? (sum + n / 2) / n : -((-sum + n / 2) / n);
}

inline uint32_t clamp_to(int64_t value, int32_t low, int32_t high) {
  return static_cast<uint32_t>(value < low ? low : value > high ? high : value);
}

}  // namespace mcusim::ops
