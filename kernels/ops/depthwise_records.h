// SPDX-License-Identifier: MIT
// Channel records of the blocked depthwise forms: everything a channel's loop
// reads, built once per layer in scratch.
//
//   word 0  bias        the container's folded bias, shifted like the weights
//   word 1  multiplier
//   word 2  addend      output zero point (and tflite's half) << shift
//   word 3  right shift
//   then    weights minus zero point, two per word, as the form's loop takes them
//
// Left shifts of the requantisation are moved into the weights and the bias, so the
// loops only ever shift right. A channel for which that would leave 32 bits is not
// `fused`; its group runs in the general form. Freestanding.
#pragma once

#include "kernels/ops/depthwise_plan.h"
#include "kernels/requant.h"
#include "kernels/simd.h"

namespace mcusim::ops {

struct FusedScale {
  bool fused;
  uint32_t weight_shift;  // left shift of weights and bias
  int32_t mult, add;
  uint32_t shift;
};

// `bound` is at least |accumulator|, `largest` at least every |weight|.
template <net::Contract kContract>
inline FusedScale fuse_scale(int32_t mult, int32_t exponent, const Stage& stage, uint32_t bound,
                             uint32_t largest) {
  if constexpr (kContract == net::Contract::thresholds) return {true, 0, 0, 0, 0};
  if (kContract == net::Contract::tflite && mult < 0) return {};
  // The output zero point whatever the sum, as of dead channels; also where tflite's
  // rounding shift takes every sum to 0.
  const bool rounds_to_zero =
      kContract == net::Contract::tflite && exponent < -kMaxFastShift &&
      bound >> kMaxFastShift == 0;
  if (mult == 0 || rounds_to_zero) return {true, 0, 0, 2 * stage.zero_point + 1, 1};
  // icn: SMMLA is a shift by 32, N0 - 31 the whole one. tflite: SMMULR of the
  // doubled accumulator is its first rounding.
  constexpr bool kTflite = kContract == net::Contract::tflite;
  const int32_t left = kTflite ? 1 : exponent + 1 > 0 ? exponent + 1 : 0;
  const int32_t right = kTflite ? -exponent : left - exponent - 1;
  if (right < (kTflite ? 1 : 0) || right > 30 || left > 15 ||
      (left != 0 && (bound >> (31 - left) != 0 || largest >> (15 - left) != 0))) {
    return {};
  }
  // The sum of scaled value and addend stays in 32 bits: the value is below 2^30, or
  // below the accumulator's bound for tflite, whose multiplier is less than 1.
  uint64_t add = static_cast<uint64_t>(static_cast<uint32_t>(stage.zero_point)) << right;
  if (kTflite) add += uint64_t{1} << (right - 1);
  if ((add + (kTflite ? bound : 1u << 30)) >> 31 != 0) return {};
  return {true, static_cast<uint32_t>(left), mult, static_cast<int32_t>(add),
          static_cast<uint32_t>(right)};
}

// Weight words of a form; w[i][j] is row i, column j as the form sees them.
template <int kSize>
inline void arrange_weights(DepthwiseForm form, const int32_t (&w)[kSize][kSize],
                            uint32_t* words) {
  const auto pair = [](int32_t low, int32_t high) {
    return simd::pkhbt(static_cast<uint32_t>(low), static_cast<uint32_t>(high));
  };
  if constexpr (kSize == 5) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; ++j) {
      words[4 * j] = pair(w[0][j], w[1][j]);
      words[4 * j + 1] = pair(w[2][j], w[3][j]);
      words[4 * j + 2] = pair(w[1][j], w[2][j]);
      words[4 * j + 3] = pair(w[3][j], w[4][j]);
    }
  } else {
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j) words[j] = pair(w[0][j], w[1][j]);
    if (form == DepthwiseForm::three_stride2) {
      words[3] = pair(0, w[2][0]);
      words[4] = pair(w[2][1], w[2][2]);
    } else {
#pragma GCC unroll 3
      for (int j = 0; j < 3; ++j) words[3 + j] = pair(w[1][j], w[2][j]);
    }
  }
}

// Builds the record of channel c; false when it cannot be fused.
template <int kWeightBits, net::Contract kContract, int kSize>
[[gnu::noinline]] bool build_record(const KernelCall& call, const DepthwisePlan& plan, uint32_t c,
                         uint32_t* record) {
  const net::Op& op = *call.op;
  constexpr uint32_t kTaps = kSize * kSize, kTap_bytes = kWeightBits / 2;
  const Channel channel = make_channel<kContract>(op, call.file, c, 0);
  // N0 or s as the container has it; make_channel keeps a form of its own.
  const uint32_t scale_index = (op.flags & net::kOpPerChannelMult) ? c : 0;
  const int32_t exponent = kContract == net::Contract::thresholds
                               ? 0
                               : static_cast<int8_t>(call.file[op.shift_offset + scale_index]);
  const int32_t zero = channel.zero_point;
  const uint32_t largest =
      static_cast<uint32_t>(zero < 0 ? -zero : zero) + uint32_t{kMaxValue<kWeightBits>};
  const uint32_t bias_magnitude =
      static_cast<int32_t>(channel.bias) < 0 ? 0 - channel.bias : channel.bias;
  const uint32_t bound = bias_magnitude + kTaps * largest * ((1u << call.in0->bits) - 1);
  const FusedScale scale =
      fuse_scale<kContract>(channel.mult, exponent, make_stage(op, *call.out), bound, largest);
  if (!scale.fused) return false;
  record[0] = channel.bias << scale.weight_shift;
  record[1] = static_cast<uint32_t>(scale.mult);
  record[2] = static_cast<uint32_t>(scale.add);
  record[3] = scale.shift;
  const uint8_t* group = call.file + op.weights_offset + c / kGroup * kTaps * kTap_bytes;
  const uint32_t down = (plan.transposed ? 1 : kSize) * kTap_bytes;
  const uint32_t right = (plan.transposed ? kSize : 1) * kTap_bytes;
  int32_t w[kSize][kSize];
#pragma GCC unroll 5
  for (int i = 0; i < kSize; ++i) {
    const uint8_t* p = group + i * down;
#pragma GCC unroll 5
    for (int j = 0; j < kSize; ++j, p += right) {
      const int32_t value = static_cast<int32_t>(element<kWeightBits>(p, c % kGroup)) - zero;
      w[i][j] = static_cast<int32_t>(static_cast<uint32_t>(value) << scale.weight_shift);
    }
  }
  arrange_weights<kSize>(plan.form, w, record + kRecordHeader_words);
  return true;
}

}  // namespace mcusim::ops
