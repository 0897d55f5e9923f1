// SPDX-License-Identifier: MIT
// Convolution, any kernel, stride and padding: plain loop over dense rows. The
// blocked matrix form replaces the body; the interface stays. Freestanding.
#pragma once

#include "kernels/requant.h"

namespace mcusim::ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void conv(const KernelCall& call) {
  const net::Op& op = *call.op;
  const net::Tensor &in = *call.in0, &out = *call.out;
  const Stage stage = make_stage(op, out);
  const uint32_t row_bytes = (op.kernel_h * op.kernel_w * in.c * kWeight + 7) / 8;
  for (uint32_t y = 0; y < out.h; ++y)
    for (uint32_t x = 0; x < out.w; ++x) {
      uint8_t* pixel = call.arena + out.arena_offset + y * out.row_stride_bytes +
                       x * out.pixel_stride_bytes;
      for (uint32_t i = 0; i < (out.c * kOut + 7) / 8; ++i) pixel[i] = 0;
      for (uint32_t c = 0; c < out.c; ++c) {
        const Channel ch = make_channel<kContract>(op, call.file, c, 0);
        uint32_t acc = ch.bias, k = 0;
        for (uint32_t ky = 0; ky < op.kernel_h; ++ky)
          for (uint32_t kx = 0; kx < op.kernel_w; ++kx) {
            const uint32_t iy = y * op.stride_h + ky - op.pad_top;
            const uint32_t ix = x * op.stride_w + kx - op.pad_left;
            const bool inside = iy < in.h && ix < in.w;
            const uint8_t* p = call.arena + in.arena_offset + (inside ? iy : 0) * in.row_stride_bytes +
                               (inside ? ix : 0) * in.pixel_stride_bytes;
            for (uint32_t i = 0; i < in.c; ++i, ++k) {
              const uint32_t v = inside ? p[i * kIn / 8] >> (i * kIn % 8) & ((1u << kIn) - 1)
                                        : static_cast<uint32_t>(in.zero_point);
              const uint32_t w = call.file[op.weights_offset + c * row_bytes + k * kWeight / 8] >>
                                     (k * kWeight % 8) & ((1u << kWeight) - 1);
              acc += v * (w - static_cast<uint32_t>(ch.zero_point));
            }
          }
        const uint8_t* t = nullptr;
        if constexpr (kContract == net::Contract::thresholds)
          t = thresholds_of<kOut>(op, call.file, c);
        pixel[c * kOut / 8] |= static_cast<uint8_t>(
            requantise_one<kContract, kOut>(acc, ch, stage, t) << (c * kOut % 8));
      }
    }
}

}  // namespace mcusim::ops
