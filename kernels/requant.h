// SPDX-License-Identifier: MIT
// Requantisation: from a 32-bit accumulator to a stored output value, for the
// three contracts of docs/net_format.md, "Arithmetic".
//
// A Channel is what a kernel keeps per output channel in fast scratch, built once
// per layer. The ordinary case costs three instructions under icn-floor (SMMLA, ASR,
// USAT; one more for multipliers of 1/2 and above) and six under tflite; parameters
// outside it take the exact 64-bit path, so every INT32 M0 and INT8 N0 is right.
// Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/simd.h"

namespace mcusim {

struct Channel {
  uint32_t bias;       // folded bias of the container
  int32_t zero_point;  // of the weights, as the core's number form needs it
  int32_t mult;        // icn: M0; tflite: M
  int32_t shift;       // icn: right shift behind SMMUL, minus the left shift before it,
                       // or N0 - 256 (exact path);
                       // tflite: -s, or s - 256 (exact path); thresholds: direction

  // What the sum of X * W starts from; `activations` is the sum of X.
  uint32_t start(uint32_t activations) const {
    return bias - static_cast<uint32_t>(zero_point) * activations;
  }
};

// What all channels of a layer share.
struct Stage {
  int32_t zero_point;           // of the output, stored domain, 0 .. 2^bits - 1
  uint32_t act_min, act_max;    // tflite clamp, stored domain, 0 .. 255
  bool clamps;                  // it is narrower than the stored range
};

// Largest right shifts of the fast paths. icn: zero_point << shift added to SMMUL
// stays in 32 bits. tflite: an accumulator that saturates when doubled still ends
// beyond every clamp, since M is at least 2^30.
inline constexpr int kMaxFastShift = 21;
inline constexpr int kMaxFastTfliteShift = 20;
// icn, largest left shift of the fast path: the accumulator is saturated to 16 bits
// first, which M0 of at least 2^30 takes beyond every clamp.
inline constexpr int kMaxLeftShift = 15;

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
      const bool normal = ch.mult == 0 || ch.mult >= 1 << 30 || ch.mult <= -(1 << 30);
      const bool fast = right <= kMaxFastShift && right >= (normal ? -kMaxLeftShift : 0);
      ch.shift = fast ? right : ch.shift - 256;
    } else {
      const bool normal = ch.mult == 0 || ch.mult >= 1 << 30;
      const bool fast = normal && ch.shift < 0 && ch.shift >= -kMaxFastTfliteShift;
      ch.shift = fast ? -ch.shift : ch.shift - 256;
    }
  }
  return ch;
}

inline Stage make_stage(const net::Op& op, const net::Tensor& out) {
  return {out.zero_point, static_cast<uint32_t>(op.act_min), static_cast<uint32_t>(op.act_max),
          op.act_min > 0 || op.act_max < (1 << out.bits) - 1};
}

// Thresholds of channel c: 2^bits - 1 words in flash.
template <int kOutBits>
inline const uint8_t* thresholds_of(const net::Op& op, const uint8_t* file, uint32_t c) {
  return file + op.thresholds_offset + 4 * ((1u << kOutBits) - 1) * c;
}

// floor((acc * mult / 2^31 + 1/2), then rounded away from zero by 2^shift) + zero
// point: the two roundings of the contract, 1 <= shift <= kMaxFastTfliteShift.
// `offset` = half a unit + (zero_point << shift).
inline int32_t tflite_fast(uint32_t acc, int32_t mult, int32_t shift, int32_t offset) {
  const int32_t a = static_cast<int32_t>(acc);
  const int32_t high = simd::smmulr(simd::qadd(a, a), mult);
  return (high + (offset + (high >> 31))) >> shift;
}

// Number of thresholds passed, by halving: they are in order (the validator checks).
template <int kOutBits>
inline uint32_t count_passed(int32_t acc, const uint8_t* thresholds, bool rising) {
  uint32_t passed = 0;
#pragma GCC unroll 4
  for (uint32_t step = 1u << (kOutBits - 1); step > 0; step /= 2) {
    const int32_t t = static_cast<int32_t>(simd::load_any(thresholds + 4 * (passed + step - 1)));
    if ((acc > t) == rising) passed += step;
  }
  return passed;
}

// The value before the output clamp, for parameters outside the fast paths. Out of
// line, so that the accumulators of the fast path stay in registers.
template <net::Contract kContract>
[[gnu::noinline]] int32_t requantise_exact(uint32_t acc, int32_t mult, int32_t shift,
                                           int32_t zero_point) {
  const int32_t a = static_cast<int32_t>(acc);
  int32_t v;
  if constexpr (kContract == net::Contract::icn_floor)
    v = icn_exact(a, mult, shift + 256);
  else
    v = tflite_scale(a, mult, shift + 256);
  // Beyond every clamp already; the zero point must not wrap it.
  constexpr int32_t kLimit = 1 << 30;
  return (v > kLimit ? kLimit : v < -kLimit ? -kLimit : v) + zero_point;
}

// Stored output values of `kCount` accumulators of one channel. `thresholds` is
// used by that contract alone.
template <net::Contract kContract, int kOutBits, int kCount>
[[gnu::always_inline]] inline void requantise(const uint32_t (&acc)[kCount], const Channel& ch,
                                              const Stage& stage,
                                              [[maybe_unused]] const uint8_t* thresholds,
                                              uint32_t (&y)[kCount]) {
  const int32_t shift = ch.shift, mult = ch.mult, zero = stage.zero_point;
  if constexpr (kContract == net::Contract::thresholds) {
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i)
      y[i] = count_passed<kOutBits>(static_cast<int32_t>(acc[i]), thresholds, shift != 0);
  } else {
    int32_t v[kCount];
    if (__builtin_expect(shift < 0, 0)) {
      if (kContract == net::Contract::icn_floor && shift >= -kMaxLeftShift) {
        const int32_t left = -shift;
#pragma GCC unroll 8
        for (int i = 0; i < kCount; ++i)
          v[i] = simd::smmla(
              static_cast<int32_t>(
                  static_cast<uint32_t>(simd::ssat<16>(static_cast<int32_t>(acc[i]))) << left),
              mult, zero);
      } else {
#pragma GCC unroll 8
        for (int i = 0; i < kCount; ++i)
          v[i] = requantise_exact<kContract>(acc[i], mult, shift, zero);
      }
    } else if constexpr (kContract == net::Contract::icn_floor) {
      const int32_t offset = static_cast<int32_t>(static_cast<uint32_t>(zero) << shift);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i)
        v[i] = simd::smmla(static_cast<int32_t>(acc[i]), mult, offset) >> shift;
    } else {
      const int32_t offset = (2 * zero + 1) << (shift - 1);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) v[i] = tflite_fast(acc[i], mult, shift, offset);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) y[i] = simd::usat<kOutBits>(v[i]);
    if (kContract == net::Contract::tflite && stage.clamps) {
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) {
        y[i] = y[i] < stage.act_min ? stage.act_min : y[i];
        y[i] = y[i] > stage.act_max ? stage.act_max : y[i];
      }
    }
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
