// SPDX-License-Identifier: MIT
// Fully connected: plain loop over dense rows of the flattened input h*w*c. The
// blocked matrix form replaces the body; the interface stays. Freestanding.
#pragma once

#include "kernels/requant.h"

namespace mcusim::ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void fully_connected(const KernelCall& call) {
  const net::Op& op = *call.op;
  const net::Tensor &in = *call.in0, &out = *call.out;
  const Stage stage = make_stage(op, out);
  const uint32_t row_bytes = (in.h * in.w * in.c * kWeight + 7) / 8;
  uint8_t* pixel = call.arena + out.arena_offset;
  for (uint32_t i = 0; i < (out.c * kOut + 7) / 8; ++i) pixel[i] = 0;
  for (uint32_t c = 0; c < out.c; ++c) {
    const Channel ch = make_channel<kContract>(op, call.file, c, 0);
    uint32_t acc = ch.bias, k = 0;
    for (uint32_t y = 0; y < in.h; ++y)
      for (uint32_t x = 0; x < in.w; ++x) {
        const uint8_t* p = call.arena + in.arena_offset + y * in.row_stride_bytes +
                           x * in.pixel_stride_bytes;
        for (uint32_t i = 0; i < in.c; ++i, ++k) {
          const uint32_t v = p[i * kIn / 8] >> (i * kIn % 8) & ((1u << kIn) - 1);
          const uint32_t w = call.file[op.weights_offset + c * row_bytes + k * kWeight / 8] >>
                                 (k * kWeight % 8) & ((1u << kWeight) - 1);
          acc += v * (w - static_cast<uint32_t>(ch.zero_point));
        }
      }
    const uint8_t* t = nullptr;
    if constexpr (kContract == net::Contract::thresholds) t = thresholds_of<kOut>(op, call.file, c);
    pixel[c * kOut / 8] |= static_cast<uint8_t>(
        requantise_one<kContract, kOut>(acc, ch, stage, t) << (c * kOut % 8));
  }
}

}  // namespace mcusim::ops
