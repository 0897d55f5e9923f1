// SPDX-License-Identifier: MIT
// Max pooling, windowed and global: cells outside the input take no part.
//
// Four channels are compared as byte lanes of one word; stored values order as
// the real ones do because input and output share scale and zero point.
// Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"

namespace mcusim::ops {

// Larger byte lane of each pair. Per byte the even and odd lanes are compared in
// 16-bit fields: bit 8 of a + 256 - b tells a >= b.
inline uint32_t max_lanes(uint32_t a, uint32_t b) {
  constexpr uint32_t kLanes = 0x00FF00FFu, kCarry = 0x01000100u;
  const uint32_t even = ((a & kLanes) + kCarry - (b & kLanes)) & kCarry;
  const uint32_t odd = ((a >> 8 & kLanes) + kCarry - (b >> 8 & kLanes)) & kCarry;
  const uint32_t take_a = (even - (even >> 8)) | (odd - (odd >> 8)) << 8;
  return (a & take_a) | (b & ~take_a);
}

template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline void max_pool(const KernelCall& call) {
  static_assert(kInBits == kOutBits, "max pooling keeps the width");
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  const net::Tensor& out = *call.out;
  for (uint32_t oy = 0; oy < out.h; ++oy) {
    const Span rows = span_inside(oy, op.stride_h, op.pad_top, op.kernel_h, in.h);
    for (uint32_t ox = 0; ox < out.w; ++ox) {
      const Span columns = span_inside(ox, op.stride_w, op.pad_left, op.kernel_w, in.w);
      const uint8_t* source =
          pixel(in, call.arena, rows.origin + rows.first, columns.origin + columns.first);
      uint8_t* target = pixel(out, call.arena, oy, ox);
      for (uint32_t c = 0; c < out.c; c += kGroup) {
        const uint32_t count = min_u32(kGroup, out.c - c);
        uint32_t best = 0;
        const uint8_t* row = source + packed_bytes<kInBits>(c);
        for (uint32_t y = rows.first; y < rows.last; ++y, row += in.row_stride_bytes) {
          const uint8_t* p = row;
          for (uint32_t x = columns.first; x < columns.last; ++x, p += in.pixel_stride_bytes) {
            best = max_lanes(best, load_group<kInBits>(p, count));
          }
        }
        store_group<kOutBits>(target + packed_bytes<kOutBits>(c), best, count);
      }
    }
  }
}

}  // namespace mcusim::ops
