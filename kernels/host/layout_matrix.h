// SPDX-License-Identifier: MIT
// Packing of the matrix layouts of kernels/ops/matmul_layout.h; listed by
// layouts.cc. Host only.
#pragma once

#include "kernels/host/layouts.h"

namespace mcusim {

net::Layout matrix_layout_for(const WeightShape& shape);
uint64_t matrix_blob_bytes(const WeightShape& shape);
std::vector<uint8_t> matrix_pack(const WeightShape& shape, std::span<const uint8_t> natural);
std::vector<uint8_t> matrix_unpack(const WeightShape& shape, std::span<const uint8_t> blob);

}  // namespace mcusim
