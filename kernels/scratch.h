// SPDX-License-Identifier: MIT
// Scratch bytes an operator's kernel needs; the packer records the maximum, the
// validator recomputes it, the image places it. Freestanding.
#pragma once

#include "kernels/kernel_api.h"

namespace mcusim {

// 64-bit so that hostile shapes cannot wrap.
uint64_t scratch_bytes(const net::Op& op, const net::Tensor& in0, const net::Tensor& out);

}  // namespace mcusim
