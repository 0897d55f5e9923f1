// SPDX-License-Identifier: MIT
// Depthwise convolution, general form: any kernel, stride and padding, four
// channels at a time, one tap at a time, no scratch.
//
// The blob holds, per group of four channels, one packed group per tap
// (Layout::depthwise_groups), so a group's weights are one contiguous run. Padding
// cells hold the input zero point. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"
#include "kernels/requant.h"
#include "kernels/simd.h"

namespace mcusim::ops {

// Weights minus zero point of four channels, as 16-bit halves: channels (0, 2)
// and (1, 3) of the group.
struct TapWeights {
  uint32_t even, odd;
};

template <int kWeightBits>
inline TapWeights tap_weights(const uint8_t* group, uint32_t tap, const TapWeights& zero_points) {
  const uint32_t lanes = load4<kWeightBits>(group + tap * (kWeightBits / 2));
  return {simd::ssub16(simd::uxtb16(lanes), zero_points.even),
          simd::ssub16(simd::uxtb16_ror8(lanes), zero_points.odd)};
}

// Output channels [c0, c0 + 4) by the general form.
template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
[[gnu::noinline]] void depthwise_group(const KernelCall& call, uint32_t c0) {
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  const net::Tensor& out = *call.out;
  const uint32_t count = min_u32(kGroup, out.c - c0);
  const uint32_t taps = uint32_t{op.kernel_h} * op.kernel_w;
  const uint8_t* weights = call.file + op.weights_offset + c0 / kGroup * taps * (kWeightBits / 2);
  const uint32_t padding = static_cast<uint32_t>(in.zero_point) * 0x01010101u;
  const Stage stage = make_stage(op, out);
  Channel channels[kGroup] = {};
  for (uint32_t i = 0; i < count; ++i) {
    channels[i] = make_channel<kContract>(op, call.file, c0 + i, 0);
  }
  const auto zero = [&](int i) { return static_cast<uint32_t>(channels[i].zero_point); };
  const TapWeights zero_points = {simd::pack_halves(zero(0), zero(2)),
                                  simd::pack_halves(zero(1), zero(3))};
  for (uint32_t oy = 0; oy < out.h; ++oy) {
    const Span rows = span_inside(oy, op.stride_h, op.pad_top, op.kernel_h, in.h);
    for (uint32_t ox = 0; ox < out.w; ++ox) {
      const Span columns = span_inside(ox, op.stride_w, op.pad_left, op.kernel_w, in.w);
      uint32_t acc[kGroup];
      for (uint32_t i = 0; i < kGroup; ++i) acc[i] = channels[i].bias;
      uint32_t tap = 0;
      for (uint32_t ky = 0; ky < op.kernel_h; ++ky) {
        const bool row_inside = ky >= rows.first && ky < rows.last;
        for (uint32_t kx = 0; kx < op.kernel_w; ++kx, ++tap) {
          uint32_t x = padding;
          if (row_inside && kx >= columns.first && kx < columns.last) {
            const uint8_t* p = pixel(in, call.arena, rows.origin + ky, columns.origin + kx);
            x = load_group<kInBits>(p + packed_bytes<kInBits>(c0), count);
          }
          const TapWeights w = tap_weights<kWeightBits>(weights, tap, zero_points);
          const uint32_t even = simd::uxtb16(x), odd = simd::uxtb16_ror8(x);
          acc[0] = simd::smlabb(even, w.even, acc[0]);
          acc[1] = simd::smlabb(odd, w.odd, acc[1]);
          acc[2] = simd::smlatt(even, w.even, acc[2]);
          acc[3] = simd::smlatt(odd, w.odd, acc[3]);
        }
      }
      uint32_t lanes = 0;
      for (uint32_t i = 0; i < count; ++i) {
        const uint8_t* thresholds = thresholds_of<kOutBits>(op, call.file, c0 + i);
        lanes |= requantise_one<kContract, kOutBits>(acc[i], channels[i], stage, thresholds)
                 << (8 * i);
      }
      uint8_t* target = pixel(out, call.arena, oy, ox);
      store_group<kOutBits>(target + packed_bytes<kOutBits>(c0), lanes, count);
    }
  }
}

}  // namespace mcusim::ops
