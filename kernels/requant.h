// SPDX-License-Identifier: MIT
// Requantisation: from a 32-bit accumulator to a stored output value, for the
// three contracts of docs/net_format.md, "Arithmetic".
//
// A Channel is what a kernel keeps per output channel in fast scratch, built once
// per layer. The ordinary case costs four instructions (SMMLA, ASR, USAT and the
// store); parameters outside it carry a negative shift and take the exact 64-bit
// path, so every INT32 M0 and INT8 N0 is right. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/simd.h"

namespace mcusim {

struct Channel {
  uint32_t bias;       // folded bias of the container
  int32_t zero_point;  // of the weights, as the core's number form needs it
  int32_t mult;        // icn: M0; tflite: M
  int32_t shift;       // icn: right shift behind SMMUL, or N0 - 256; tflite: s;
                       // thresholds: direction
};

// What all channels of a layer share.
struct Stage {
  int32_t zero_point;          // of the output, stored domain, 0 .. 2^bits - 1
  int32_t act_min, act_max;    // tflite clamp, stored domain
};

// Largest right shift for which zero_point << shift added to SMMUL stays in 32 bits.
inline constexpr int kMaxFastShift = 21;

// floor(acc * m0 * 2^(n0 - 31)) as if with unlimited precision, then limited to
// +-2^30, which every output clamp swallows.
int32_t icn_exact(int32_t acc, int32_t m0, int32_t n0);

// Rounding doubling high multiplication and rounding shift of the tflite contract.
// floor(x + 1/2) is what its truncation with a signed nudge amounts to.
inline int32_t tflite_scale(int32_t acc, int32_t mult, int32_t shift) {
  if (shift > 0) acc = static_cast<int32_t>(static_cast<uint32_t>(acc) << (shift & 31));
  const int64_t doubled = static_cast<int64_t>(acc) * mult + (INT64_C(1) << 30);
  const int32_t high = static_cast<int32_t>(doubled >> 31);
  if (shift >= 0) return high;
  const int e = -shift & 31;
  const uint32_t mask = (1u << e) - 1;
  const uint32_t rest = static_cast<uint32_t>(high) & mask;
  return (high >> e) + (rest > (mask >> 1) + (high < 0 ? 1u : 0u) ? 1 : 0);
}

// Reads the parameters of channel c; `zero_offset` is what the weight layout
// subtracted from this channel's stored weights.
template <net::Contract kContract>
inline Channel make_channel(const net::Op& op, const uint8_t* file, uint32_t c,
                            int32_t zero_offset) {
  using simd::load_any;
  Channel ch;
  ch.bias = load_any(file + op.bias_offset + 4 * c);
  ch.zero_point = op.weight_zero_point;
  if (op.flags & net::kOpPerChannelZeroPoint) {
    const uint8_t* p = file + op.zero_points_offset + 2 * c;
    ch.zero_point = static_cast<int16_t>(p[0] | (p[1] << 8));
  }
  ch.zero_point -= zero_offset;
  if constexpr (kContract == net::Contract::thresholds) {
    ch.mult = 0;
    ch.shift = file[op.directions_offset + c];
  } else {
    const uint32_t i = (op.flags & net::kOpPerChannelMult) ? c : 0;
    ch.mult = static_cast<int32_t>(load_any(file + op.mult_offset + 4 * i));
    ch.shift = static_cast<int8_t>(file[op.shift_offset + i]);
    if constexpr (kContract == net::Contract::icn_floor) {
      const int32_t right = -(ch.shift + 1);
      ch.shift = right >= 0 && right <= kMaxFastShift ? right : ch.shift - 256;
    }
  }
  return ch;
}

inline Stage make_stage(const net::Op& op, const net::Tensor& out) {
  return {out.zero_point, op.act_min, op.act_max};
}

// Thresholds of channel c: 2^bits - 1 words in flash.
template <int kOutBits>
inline const uint8_t* thresholds_of(const net::Op& op, const uint8_t* file, uint32_t c) {
  return file + op.thresholds_offset + 4 * ((1u << kOutBits) - 1) * c;
}

// Stored output values of `kCount` accumulators of one channel. `thresholds` is
// used by that contract alone.
template <net::Contract kContract, int kOutBits, int kCount>
[[gnu::always_inline]] inline void requantise(const uint32_t (&acc)[kCount], const Channel& ch,
                                              const Stage& stage,
                                              [[maybe_unused]] const uint8_t* thresholds,
                                              uint32_t (&y)[kCount]) {
  if constexpr (kContract == net::Contract::icn_floor) {
    if (ch.shift >= 0) {
      const int32_t zero = static_cast<int32_t>(static_cast<uint32_t>(stage.zero_point)
                                                << ch.shift);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i)
        y[i] = simd::usat<kOutBits>(
            simd::smmla(static_cast<int32_t>(acc[i]), ch.mult, zero) >> ch.shift);
    } else {
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i)
        y[i] = simd::usat<kOutBits>(
            icn_exact(static_cast<int32_t>(acc[i]), ch.mult, ch.shift + 256) + stage.zero_point);
    }
  } else if constexpr (kContract == net::Contract::tflite) {
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) {
      int32_t v = tflite_scale(static_cast<int32_t>(acc[i]), ch.mult, ch.shift);
      v = static_cast<int32_t>(static_cast<uint32_t>(v) + static_cast<uint32_t>(stage.zero_point));
      v = v < stage.act_min ? stage.act_min : v;
      y[i] = static_cast<uint32_t>(v > stage.act_max ? stage.act_max : v);
    }
  } else {
    constexpr int kThresholds = (1 << kOutBits) - 1;
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) y[i] = 0;
    for (int k = 0; k < kThresholds; ++k) {
      const int32_t t = static_cast<int32_t>(simd::load_any(thresholds + 4 * k));
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) y[i] += static_cast<int32_t>(acc[i]) > t ? 1 : 0;
    }
    if (ch.shift == 0)  // falling: passed if acc <= T
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) y[i] = kThresholds - y[i];
  }
}

template <net::Contract kContract, int kOutBits>
inline uint32_t requantise_one(uint32_t acc, const Channel& ch, const Stage& stage,
                               const uint8_t* thresholds) {
  const uint32_t in[1] = {acc};
  uint32_t y[1];
  requantise<kContract, kOutBits, 1>(in, ch, stage, thresholds, y);
  return y[0];
}

}  // namespace mcusim
