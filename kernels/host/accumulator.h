// SPDX-License-Identifier: MIT
// How far a channel's accumulator Phi + Bq can go for any input: the bound that
// lets kernels add in 32 bits. Exact, from the real weights.
#pragma once

#include <cstdint>

#include "kernels/host/int_net.h"

namespace mcusim {

struct AccumulatorRange {
  int64_t least = 0, most = 0;
  // |Phi + Bq| < 2^31 after a left shift (tflite).
  bool fits(int left_shift = 0) const {
    const int64_t limit = ((int64_t{1} << 31) - 1) >> left_shift;
    return least >= -limit && most <= limit;
  }
};

// Of one output channel of an operator with weights. Cells outside the input add
// nothing, which every range includes, since the zero point is a value of the input.
AccumulatorRange accumulator_range(const IntOp& op, const IntTensor& in, uint32_t channel);

}  // namespace mcusim
