// SPDX-License-Identifier: MIT
#include "quant/quantise/icn.h"

#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::quantise {

Multiplier multiplier_of(double value) {
  if (value == 0) return {};
  if (!std::isfinite(value)) throw Error("a requantisation multiplier of {}", value);
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  int64_t mantissa = std::llround(std::ldexp(fraction, 31));
  if (mantissa == int64_t{1} << 31) {
    mantissa >>= 1;
    ++exponent;
  }
  if (exponent > 127) throw Error("a requantisation multiplier of {} (at most 2^127)", value);
  if (exponent < -128) {
    mantissa = int64_t{1} << 30;
    exponent = -128;
  }
  return {static_cast<int32_t>(value < 0 ? -mantissa : mantissa), static_cast<int8_t>(exponent)};
}

double value_of(Multiplier m) { return std::ldexp(static_cast<double>(m.mult), m.shift - 31); }

int64_t icn_floor(int64_t acc, Multiplier m) {
  constexpr int64_t kLimit = int64_t{1} << 62;
  const __int128 product = static_cast<__int128>(acc) * m.mult;
  const int right = 31 - m.shift;  // -96 .. 159
  if (right >= 0) {
    const __int128 floored = product >> std::min(right, 126);
    return static_cast<int64_t>(std::clamp<__int128>(floored, -kLimit, kLimit));
  }
  if (product == 0) return 0;
  const __int128 bound = static_cast<__int128>(kLimit) >> std::min(-right, 62);
  if (product > bound) return kLimit;
  if (product < -bound) return -kLimit;
  return static_cast<int64_t>(product) << -right;
}

}  // namespace mcusim::quantise
