// SPDX-License-Identifier: MIT
// What the input's zero point adds to every accumulator, taken out of the bias by
// the packer and put back by `decode`; both directions are exact modulo 2^32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/host/layouts.h"

namespace mcusim {

// Zx * sum_k(W[c][k] - Zw[c]) per output channel; `zero_points` holds 1 or co.
std::vector<uint32_t> zero_point_terms(const WeightShape& shape, std::span<const uint8_t> natural,
                                       std::span<const int32_t> zero_points, int32_t input_zero);

}  // namespace mcusim
