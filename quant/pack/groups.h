// SPDX-License-Identifier: MIT
// Convolutions in groups. No kernel knows groups: each one runs as a convolution of
// its own over a channel slice of input and output, with no multiply-accumulate and
// no weight byte more than the groups have.
#pragma once

#include "kernels/host/int_net.h"

namespace mcusim {

// Appends `op`, a conv2d whose weights are [co][kh][kw][ci / groups], as one operator
// per group over views of its tensors; with one group as it is. All of them carry its
// layer_id. Throws Error when a slice does not begin on a byte.
void append_op(IntNet& net, IntOp op, uint32_t groups);

// The narrowest width of 8, 4, 2 bits at which slices of `channels` begin on bytes.
constexpr uint8_t least_slice_bits(uint32_t channels) {
  return channels % 4 == 0 ? 2 : channels % 2 == 0 ? 4 : 8;
}

}  // namespace mcusim
