// SPDX-License-Identifier: MIT
// Real multipliers as integers, for the `tflite` contract (docs/net_format.md,
// "Arithmetic"): m = M * 2^(s - 31).
#pragma once

#include <cstdint>

#include "kernels/host/int_net.h"

namespace mcusim {

struct FixedMultiplier {
  int32_t mult = 0;
  int8_t shift = 0;
};

// m finite and >= 0; Error beyond 2^30, where no accumulator could be scaled.
FixedMultiplier tflite_multiplier(double m);

// The multiplier of a mean over n cells: M divided by n, toward zero, after as
// many doublings as keep it in 31 bits (tensorflow/lite reduce kernels).
FixedMultiplier tflite_mean_multiplier(double m, uint32_t n);

// The three multipliers of an addition of scales s1 and s2 into sy; shift <= 0.
struct AdditionMultipliers {
  FixedMultiplier in[2], out;
};
AdditionMultipliers tflite_addition(double s1, double s2, double sy);
void set_addition(IntOp& op, const AdditionMultipliers& multipliers);

}  // namespace mcusim
