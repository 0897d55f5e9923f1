// SPDX-License-Identifier: MIT
// 5x5 with stride 2: one output row, one column at a time, from the three row pairs
// A, B, D of the ring (see depthwise_passes.h). Rarer than the other forms, so one
// loop for every position of the ring, written once for host and target: the slots
// are pointers. Records are those of 5x5 stride 1. Freestanding.
#pragma once

#include "kernels/ops/depthwise_finish.h"
#include "kernels/ops/plane_pass.h"
#include "kernels/simd.h"

namespace mcusim::ops {

template <Finish kFinish, int kBits>
[[gnu::noinline]] void pass_5x5_stride2(const PlanePass& pass, uint32_t oldest) {
  constexpr uint32_t kRing = 3, kColumn_words = 2 * kRing;
  const uint32_t middle = oldest == 2 ? 0 : oldest + 1, newest = oldest == 0 ? 2 : oldest - 1;
  const uint32_t columns = static_cast<uint32_t>(pass.even_bytes / (4 * kColumn_words) + pass.odd);
  const uint32_t* plane = pass.plane;
  uint8_t* out = pass.out;
  for (const uint32_t* record = pass.record; record != pass.records_end;
       record += kRecord_words_5x5) {
    const uint32_t* w = record + 4;
    const uint32_t* A = plane + oldest;
    const uint32_t* B = plane + middle;
    const uint32_t* D = plane + newest;
    const Scale scale = {static_cast<int32_t>(record[1]), static_cast<int32_t>(record[2]),
                         record[3]};
    uint8_t* y = out;
    for (uint32_t n = columns; n != 0; --n, y += pass.column_bytes) {
      uint32_t sum = record[0];
#pragma GCC unroll 5
      for (uint32_t j = 0; j < 5; ++j) {
        sum = simd::smlad(A[kRing * j], w[4 * j], sum);
        sum = simd::smlad(B[kRing * j], w[4 * j + 1], sum);
        sum = simd::smlabt(D[kRing * j], w[4 * j + 3], sum);
      }
      finish_value<kFinish, kBits>(y, sum, scale);
      A += kColumn_words;
      B += kColumn_words;
      D += kColumn_words;
    }
    plane += pass.plane_bytes / 4;
    out += pass.channel_bytes;
  }
}

}  // namespace mcusim::ops
