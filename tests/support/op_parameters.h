// SPDX-License-Identifier: MIT
// Random parameters for one operator of given shape: weights, zero points, biases
// and factors whose outputs spread over the range, with extremes mixed in, and
// accumulators inside the packer's bound.
#pragma once

#include "tests/support/nets.h"

namespace mcusim::testing {

constexpr int64_t most(uint8_t bits) { return (int64_t{1} << bits) - 1; }

void make_weights(IntOp& op, const IntTensor& in, const IntTensor& out, Random& random,
                  const OpWish& wish);
void make_avg_pool(IntOp& op, const IntTensor& in, const IntTensor& out, Random& random);
void make_add(IntOp& op, const IntTensor& in0, const IntTensor& in1, const IntTensor& out,
              Random& random);

}  // namespace mcusim::testing
