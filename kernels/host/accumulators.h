// SPDX-License-Identifier: MIT
// The bound every weighted operator must keep: |Phi + B| * 2^max(s, 0) < 2^31 for
// every input, from the real weights, so that kernels may count in 32 bits.
#pragma once

#include "kernels/host/int_net.h"

namespace mcusim {

// `op` has weights, zero points and bias; the shift counts under `tflite` only.
// Throws Error with the channel and what it may reach.
void check_accumulators(const IntOp& op, const IntTensor& in);

}  // namespace mcusim
