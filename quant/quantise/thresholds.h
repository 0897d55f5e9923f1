// SPDX-License-Identifier: MIT
// An integer-normalised operator as thresholds: for every output value the
// accumulator at which it is reached. Equal to icn-floor for every accumulator
// inside the packer's bound.
#pragma once

#include "kernels/host/int_net.h"

namespace mcusim::quantise {

// Replaces mult and shift of `op` (icn_floor, output of 4 or 2 bits).
void to_thresholds(IntOp& op, const IntTensor& out);

}  // namespace mcusim::quantise
