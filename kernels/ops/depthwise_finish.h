// SPDX-License-Identifier: MIT
// The ends of the depthwise loops: how a sum becomes a stored value.
//
//   icn     SMMLA with the zero point << shift as addend, ASR, USAT
//   rounded SMMLAR likewise: tflite with zero point 0, where a tie below zero, which
//           rounds away from it, is clamped either way
//   tflite  SMMULR of doubled sums, the sign as correction of ties, half and zero
//           point added, ASR, USAT
//   sums    the accumulators as words, for thresholds
// Plain form; depthwise_passes_arm.h has the same in instructions. The lower row is
// stored first, so that a row distance of 0 leaves the upper one. Freestanding.
#pragma once

#include "kernels/simd.h"

namespace mcusim::ops {

enum class Finish : uint8_t { icn, rounded, tflite, sums };

// Multiplier, addend and shift of a channel's record.
struct Scale {
  int32_t mult, add;
  uint32_t shift;
};

template <Finish kFinish, int kBits>
inline void finish_value(uint8_t* to, uint32_t sum, const Scale& scale) {
  if constexpr (kFinish == Finish::sums) {
    simd::store_any(to, sum);
  } else {
    const int32_t acc = static_cast<int32_t>(sum);
    int32_t v;
    if constexpr (kFinish == Finish::icn) {
      v = simd::smmla(acc, scale.mult, scale.add);
    } else if constexpr (kFinish == Finish::rounded) {
      v = simd::smmlar(acc, scale.mult, scale.add);
    } else {
      v = static_cast<int32_t>((int64_t{acc} * scale.mult + (INT64_C(1) << 31)) >> 32);
      v = static_cast<int32_t>(static_cast<uint32_t>(v) + static_cast<uint32_t>(v >> 31) +
                               static_cast<uint32_t>(scale.add));
    }
    *to = static_cast<uint8_t>(simd::usat<kBits>(v >> scale.shift));
  }
}

}  // namespace mcusim::ops
