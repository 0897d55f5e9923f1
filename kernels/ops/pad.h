// SPDX-License-Identifier: MIT
// Spatial padding: the input surrounded by pixels that hold its zero point.
// Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/elements.h"

namespace mcusim::ops {

// `pixels` pixels of `channels` channels that hold `value`; pad bits are 0.
template <int kBits>
inline void fill_pixels(uint8_t* to, uint32_t stride_bytes, uint32_t pixels, uint32_t channels,
                        uint32_t value) {
  const uint32_t lanes = value * 0x01010101u;
  for (; pixels != 0; --pixels, to += stride_bytes) {
    for (uint32_t c = 0; c < channels; c += kGroup) {
      store_group<kBits>(to + packed_bytes<kBits>(c), lanes, min_u32(kGroup, channels - c));
    }
  }
}

template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline void pad(const KernelCall& call) {
  static_assert(kInBits == kOutBits, "padding keeps the width");
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  const net::Tensor& out = *call.out;
  const uint32_t value = static_cast<uint32_t>(in.zero_point) & kMaxValue<kInBits>;
  const uint32_t bytes = packed_bytes<kInBits>(in.c);
  const uint32_t stride = out.pixel_stride_bytes;
  for (uint32_t y = 0; y < out.h; ++y) {
    uint8_t* to = pixel(out, call.arena, y, 0);
    if (y < op.pad_top || y >= op.pad_top + in.h) {
      fill_pixels<kOutBits>(to, stride, out.w, out.c, value);
      continue;
    }
    fill_pixels<kOutBits>(to, stride, op.pad_left, out.c, value);
    to += op.pad_left * stride;
    const uint8_t* from = pixel(in, call.arena, y - op.pad_top, 0);
    if (stride == bytes && in.pixel_stride_bytes == bytes) {
      copy_bytes(to, from, in.w * bytes);
      to += in.w * bytes;
    } else {
      for (uint32_t x = 0; x < in.w; ++x, to += stride, from += in.pixel_stride_bytes) {
        copy_bytes(to, from, bytes);
      }
    }
    fill_pixels<kOutBits>(to, stride, op.pad_right, out.c, value);
  }
}

}  // namespace mcusim::ops
