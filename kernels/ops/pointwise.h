// SPDX-License-Identifier: MIT
// Pointwise convolution: a 1x1 convolution with stride 1 and no padding runs the
// body of `conv`; the family of its own lets an image drop what it does not use.
#pragma once

#include "kernels/ops/conv.h"

namespace mcusim::ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void pointwise(const KernelCall& call) {
  conv<kIn, kWeight, kOut, kContract>(call);
}

}  // namespace mcusim::ops
