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
template <net::Contract kContract, int kOutBits>
inline FusedScale fuse_scale(int32_t mult, int32_t exponent, const Stage& stage, uint32_t bound,
                             uint32_t largest) {
  if constexpr (kContract == net::Contract::thresholds) return {true, 0, 0, 0, 0};
  if (mult == 0 && kContract == net::Contract::icn_floor) {
    return {true, 0, 0, stage.zero_point, 0};
  }
  // icn: SMMLA is a shift by 32, N0 - 31 the whole one. tflite: SMMULR of the
  // doubled accumulator is its first rounding.
  constexpr bool kTflite = kContract == net::Contract::tflite;
  const int32_t left = kTflite ? 1 : exponent + 1 > 0 ? exponent + 1 : 0;
  const int32_t right = kTflite ? -exponent : left - exponent - 1;
  const bool clamps = kTflite && (stage.act_min != 0 || stage.act_max != 255);
  if (clamps || right < (kTflite ? 1 : 0) || right > kMaxFastShift || left > 15 ||
      (left != 0 && (bound >> (31 - left) != 0 || largest >> (15 - left) != 0))) {
    return {};
  }
  int32_t add = stage.zero_point * (1 << right);
  if (kTflite) add += 1 << (right - 1);
  return {true, static_cast<uint32_t>(left), mult, add, static_cast<uint32_t>(right)};
}

// Weight words of a form from the taps in row order.
inline void arrange_weights(DepthwiseForm form, const int32_t* w, uint32_t* words) {
  const auto pair = [](int32_t low, int32_t high) {
    return simd::pack_halves(static_cast<uint32_t>(low), static_cast<uint32_t>(high));
  };
  if (form == DepthwiseForm::five_stride1) {
    for (int j = 0; j < 5; ++j) {
      words[4 * j] = pair(w[j], w[5 + j]);
      words[4 * j + 1] = pair(w[10 + j], w[15 + j]);
      words[4 * j + 2] = pair(w[5 + j], w[10 + j]);
      words[4 * j + 3] = pair(w[15 + j], w[20 + j]);
    }
    return;
  }
  for (int j = 0; j < 3; ++j) words[j] = pair(w[j], w[3 + j]);
  if (form == DepthwiseForm::three_stride1) {
    for (int j = 0; j < 3; ++j) words[3 + j] = pair(w[3 + j], w[6 + j]);
  } else {
    words[3] = pair(0, w[6]);
    words[4] = pair(w[7], w[8]);
  }
}

// Builds the record of channel c; false when it cannot be fused.
template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline bool build_record(const KernelCall& call, const DepthwisePlan& plan, uint32_t c,
                         uint32_t* record) {
  const net::Op& op = *call.op;
  const uint32_t taps = uint32_t{op.kernel_h} * op.kernel_w;
  const uint8_t* group =
      call.file + op.weights_offset + c / kGroup * taps * (kWeightBits / 2);
  const Stage stage = make_stage(op, *call.out);
  // The contract `thresholds` has no multiplier; the others are read as they are stored.
  Channel channel = make_channel<kContract>(op, call.file, c, 0);
  int32_t exponent = 0;
  if constexpr (kContract != net::Contract::thresholds) {
    const uint32_t i = (op.flags & net::kOpPerChannelMult) ? c : 0;
    exponent = static_cast<int8_t>(call.file[op.shift_offset + i]);
  }
  int32_t w[25];
  uint32_t sum = 0, largest = 0;
  for (uint32_t tap = 0; tap < taps; ++tap, group += kWeightBits / 2) {
    w[tap] = static_cast<int32_t>(element<kWeightBits>(group, c % kGroup)) - channel.zero_point;
    const uint32_t magnitude = static_cast<uint32_t>(w[tap] < 0 ? -w[tap] : w[tap]);
    sum += magnitude;
    largest |= magnitude;
  }
  const uint32_t bias_magnitude =
      static_cast<int32_t>(channel.bias) < 0 ? 0 - channel.bias : channel.bias;
  const uint32_t bound = bias_magnitude + sum * static_cast<uint32_t>(kMaxValue<kInBits>);
  const FusedScale scale =
      fuse_scale<kContract, kOutBits>(channel.mult, exponent, stage, bound, largest);
  if (!scale.fused) return false;
  record[0] = channel.bias << scale.weight_shift;
  record[1] = static_cast<uint32_t>(scale.mult);
  record[2] = static_cast<uint32_t>(scale.add);
  record[3] = scale.shift;
  for (uint32_t tap = 0; tap < taps; ++tap) w[tap] *= 1 << scale.weight_shift;
  arrange_weights(plan.form, w, record + kRecordHeader_words);
  return true;
}

}  // namespace mcusim::ops
