// SPDX-License-Identifier: MIT
// Depthwise convolution, general form: any kernel, stride and padding, four
// channels at a time, one tap at a time, no scratch.
//
// The blob holds, per group of four channels, one packed group per tap
// (Layout::depthwise_groups), so a group's weights are one contiguous run. The
// container's bias supposes padding cells that hold the zero point; here it is
// unfolded once per channel, so that only taps inside the input are visited.
// Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"
#include "kernels/requant.h"
#include "kernels/simd.h"

namespace mcusim::ops {

// Four channels as 16-bit halves: channels (0, 2) and (1, 3) of a group.
struct GroupHalves {
  uint32_t even, odd;
};

inline GroupHalves halves_minus(uint32_t lanes, const GroupHalves& zero) {
  return {simd::ssub16(simd::uxtb16(lanes), zero.even),
          simd::ssub16(simd::uxtb16_ror8(lanes), zero.odd)};
}

inline void accumulate(uint32_t (&acc)[kGroup], const GroupHalves& x, const GroupHalves& w) {
  acc[0] = simd::smlabb(x.even, w.even, acc[0]);
  acc[1] = simd::smlabb(x.odd, w.odd, acc[1]);
  acc[2] = simd::smlatt(x.even, w.even, acc[2]);
  acc[3] = simd::smlatt(x.odd, w.odd, acc[3]);
}

// One group of four channels at work.
struct DepthwiseGroup {
  const KernelCall& call;
  const uint8_t* weights;  // of the group
  uint32_t first, count;   // channels
  GroupHalves zero_x, zero_w;
};

// The taps inside the input of one output position; `rows` and `columns` say which.
template <int kInBits, int kWeightBits>
[[gnu::noinline]] void add_taps(const DepthwiseGroup& g, const Span& rows, const Span& columns,
                                uint32_t (&acc)[kGroup]) {
  constexpr uint32_t kTap_bytes = kWeightBits / 2;
  const net::Tensor& in = *g.call.in0;
  const uint32_t kernel_w = g.call.op->kernel_w, count = g.count;
  const GroupHalves zero_x = g.zero_x, zero_w = g.zero_w;
  const uint8_t* row =
      pixel(in, g.call.arena, rows.origin + rows.first, columns.origin + columns.first) +
      packed_bytes<kInBits>(g.first);
  const uint8_t* w_row = g.weights + (rows.first * kernel_w + columns.first) * kTap_bytes;
  for (uint32_t ky = rows.first; ky < rows.last; ++ky) {
    const uint8_t* p = row;
    const uint8_t* w = w_row;
    for (uint32_t n = columns.last - columns.first; n != 0; --n) {
      accumulate(acc, halves_minus(load_group<kInBits>(p, count), zero_x),
                 halves_minus(load4<kWeightBits>(w), zero_w));
      p += in.pixel_stride_bytes;
      w += kTap_bytes;
    }
    row += in.row_stride_bytes;
    w_row += kernel_w * kTap_bytes;
  }
}

// All taps as if over padding: what the container's bias has folded away.
template <int kWeightBits>
[[gnu::noinline]] void unfold_bias(const DepthwiseGroup& g, uint32_t (&acc)[kGroup]) {
  const uint32_t taps = uint32_t{g.call.op->kernel_h} * g.call.op->kernel_w;
  for (uint32_t tap = 0; tap < taps; ++tap) {
    const uint32_t lanes = load4<kWeightBits>(g.weights + tap * (kWeightBits / 2));
    accumulate(acc, g.zero_x, halves_minus(lanes, g.zero_w));
  }
}

// Widths of input and weights, as functions, so that rows share the rest.
struct GroupTaps {
  void (*add)(const DepthwiseGroup&, const Span& rows, const Span& columns,
              uint32_t (&acc)[kGroup]);
  void (*unfold)(const DepthwiseGroup&, uint32_t (&acc)[kGroup]);
  uint32_t tap_bytes;
};

// Output channels [c0, c0 + 4).
template <int kOutBits, net::Contract kContract>
[[gnu::noinline]] void depthwise_group(const KernelCall& call, uint32_t c0, const GroupTaps& taps) {
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  const net::Tensor& out = *call.out;
  const uint32_t count = min_u32(kGroup, out.c - c0);
  const Stage stage = make_stage(op, out);
  Channel channels[kGroup] = {};
  uint32_t start[kGroup] = {};
  for (uint32_t i = 0; i < count; ++i) {
    channels[i] = make_channel<kContract>(op, call.file, c0 + i, 0);
    start[i] = channels[i].bias;
  }
  const auto zero = [&](int i) { return static_cast<uint32_t>(channels[i].zero_point); };
  const uint32_t zero_in = static_cast<uint32_t>(in.zero_point) * 0x00010001u;
  const uint32_t group_bytes = uint32_t{op.kernel_h} * op.kernel_w * taps.tap_bytes;
  const DepthwiseGroup g = {
      call, call.file + op.weights_offset + c0 / kGroup * group_bytes, c0, count,
      {zero_in, zero_in},
      {simd::pack_halves(zero(0), zero(2)), simd::pack_halves(zero(1), zero(3))}};
  taps.unfold(g, start);
  for (uint32_t oy = 0; oy < out.h; ++oy) {
    const Span rows = span_inside(oy, op.stride_h, op.pad_top, op.kernel_h, in.h);
    for (uint32_t ox = 0; ox < out.w; ++ox) {
      const Span columns = span_inside(ox, op.stride_w, op.pad_left, op.kernel_w, in.w);
      uint32_t acc[kGroup] = {start[0], start[1], start[2], start[3]};
      taps.add(g, rows, columns, acc);
      uint32_t lanes = 0;
      for (uint32_t i = 0; i < count; ++i) {
        const uint8_t* thresholds = thresholds_of<kOutBits>(op, call.file, c0 + i);
        lanes |= requantise_one<kContract, kOutBits>(acc[i], channels[i], stage, thresholds)
                 << (8 * i);
      }
      store_group<kOutBits>(pixel(out, call.arena, oy, ox) + packed_bytes<kOutBits>(c0), lanes,
                            count);
    }
  }
}

}  // namespace mcusim::ops
