// SPDX-License-Identifier: MIT
// The tflite clamp where it is narrower than 0 .. 255, which the fast loops saturate
// to: a pass over the finished 8-bit output, four bytes at a time. Rare, so the loops
// carry nothing for it. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/simd.h"

namespace mcusim::ops {

[[gnu::noinline]] inline void clamp_output(const KernelCall& call) {
  using namespace simd;
  const net::Op& op = *call.op;
  const net::Tensor& out = *call.out;
  if (op.act_min <= 0 && op.act_max >= 255) return;
  // Saturating at 255 and at 0, from either side.
  const uint32_t low = static_cast<uint32_t>(op.act_min < 0 ? 0 : op.act_min) * 0x01010101u;
  const uint32_t gap = static_cast<uint32_t>(op.act_max > 255 ? 0 : 255 - op.act_max) * 0x01010101u;
  const auto clamp = [&](uint32_t y) {
    y = uqsub8(uqadd8(y, gap), gap);
    return uqadd8(uqsub8(y, low), low);
  };
  const bool dense = out.pixel_stride_bytes == out.c;
  const uint32_t runs = dense ? 1 : out.w, bytes = dense ? out.w * out.c : out.c;
  for (uint32_t y = 0; y < out.h; ++y)
    for (uint32_t run = 0; run < runs; ++run) {
      uint8_t* p = call.arena + out.arena_offset + y * out.row_stride_bytes +
                   run * out.pixel_stride_bytes;
      uint32_t n = bytes;
      for (; n >= 4; n -= 4, p += 4) store_any(p, clamp(load_any(p)));
      for (; n > 0; --n, ++p) *p = static_cast<uint8_t>(clamp(*p));
    }
}

}  // namespace mcusim::ops
