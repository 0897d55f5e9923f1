// SPDX-License-Identifier: MIT
// The naive twin: a second implementation, from the formulas of
// docs/net_format.md "Arithmetic", sharing no code with the kernels. Slow and
// obvious on purpose (64- and 128-bit integers, one loop per index).
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim::reference {

// Stored values of one tensor, h*w*c, one byte each.
using Values = std::vector<uint8_t>;

// Output of one operator. `in1` is used by add alone. A view written tile by
// tile is the caller's concern: the result has the shape of op.out.
Values run_op(const IntNet& net, const IntOp& op, const Values& in0, const Values& in1);

// All tensors of the network after a run (views mirror their parents).
std::vector<Values> run(const IntNet& net, const std::vector<Values>& inputs);

}  // namespace mcusim::reference
