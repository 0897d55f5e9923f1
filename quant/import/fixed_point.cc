// SPDX-License-Identifier: MIT
#include "quant/import/fixed_point.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "memmap/base/error.h"

namespace mcusim {

FixedMultiplier tflite_multiplier(double m) {
  if (!std::isfinite(m) || m < 0) throw Error("multiplier {} is not a finite positive number", m);
  if (m == 0) return {};
  int shift = 0;
  const double mantissa = std::frexp(m, &shift);
  int64_t mult = std::llround(mantissa * 2147483648.0);
  if (mult == int64_t{1} << 31) {
    mult = int64_t{1} << 30;
    ++shift;
  }
  if (shift < -31) return {};
  if (shift > 30) throw Error("multiplier {} is 2^30 or more", m);
  return {static_cast<int32_t>(mult), static_cast<int8_t>(shift)};
}

AdditionMultipliers tflite_addition(double s1, double s2, double sy) {
  const double twice = 2 * std::max(s1, s2);
  const AdditionMultipliers made{{tflite_multiplier(s1 / twice), tflite_multiplier(s2 / twice)},
                                 tflite_multiplier(twice / (double{1 << 20} * sy))};
  if (made.out.shift > 0) throw Error("output scale {:.9g} is too small for the input scales", sy);
  return made;
}

void set_addition(IntOp& op, const AdditionMultipliers& multipliers) {
  const FixedMultiplier all[] = {multipliers.in[0], multipliers.in[1], multipliers.out};
  for (int i = 0; i < 3; ++i) {
    op.scalar_mult[i] = all[i].mult;
    op.scalar_shift[i] = all[i].shift;
  }
}

FixedMultiplier tflite_mean_multiplier(double m, uint32_t n) {
  const FixedMultiplier whole = tflite_multiplier(m);
  const int doublings = std::min(static_cast<int>(std::bit_width(n)) - 1, 31 + whole.shift);
  const int64_t mult = (int64_t{whole.mult} << doublings) / n;
  return {static_cast<int32_t>(mult), static_cast<int8_t>(whole.shift - doublings)};
}

}  // namespace mcusim
