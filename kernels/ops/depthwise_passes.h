// SPDX-License-Identifier: MIT
// The inner loops of the blocked depthwise forms: one pass makes one or two output
// rows of some channels of a tile from the row pairs in the ring.
//
// With A = (r0, r1) the older and B = (r2, r3) the newer row pair of a column and
// P = (w0, w1), Q = (w1, w2) of a tap column, two output rows take
//     upper += SMLAD(A, P)  + SMLABT(B, Q)       r0w0 + r1w1 + r2w2
//     lower += SMLATB(A, P) + SMLAD(B, Q)        r1w0 + r2w1 + r3w2
// that is 4 instructions for 6 MACs and no odd tap. 5x5 adds the pair D = (r4, r5)
// and takes 6 for 10. Stride 2 uses the first line alone. A step makes two columns;
// a row of odd length ends with a step that overlaps the one before. These are the
// plain twins of depthwise_passes_arm.h. Freestanding.
#pragma once

#include "kernels/ops/depthwise_finish.h"
#include "kernels/ops/plane_pass.h"
#include "kernels/simd.h"

#if defined(__arm__)
#include "kernels/ops/depthwise_passes_arm.h"
#else

namespace mcusim::ops {

// Calls step(x, y, record) for every step of every channel; x is the plane at the
// step's first column, `words` what an output column takes of it.
template <typename Step>
inline void for_each_step(const PlanePass& pass, uint32_t words, uint32_t record_words,
                          Step step) {
  const uint32_t* plane = pass.plane;
  uint8_t* out = pass.out;
  for (const uint32_t* record = pass.record; record != pass.records_end; record += record_words) {
    const uint32_t* x = plane;
    uint8_t* y = out;
    for (; x != plane + pass.even_bytes / 4; x += 2 * words, y += 2 * pass.column_bytes) {
      step(x, y, record);
    }
    if (pass.odd) step(x - words, y - pass.column_bytes, record);
    plane += pass.plane_bytes / 4;
    out += pass.channel_bytes;
  }
}

inline Scale scale_of(const uint32_t* record) {
  return {static_cast<int32_t>(record[1]), static_cast<int32_t>(record[2]), record[3]};
}

// kOldest: the ring slot of the oldest pair.
template <Finish kFinish, int kBits, int kOldest>
inline void pass_3x3_stride1(const PlanePass& pass) {
  for_each_step(pass, 2, kRecord_words_3x3_stride1,
                [&](const uint32_t* x, uint8_t* y, const uint32_t* record) {
    const uint32_t* w = record + 4;
    for (uint32_t i = 0; i < 2; ++i, y += pass.column_bytes) {
      uint32_t upper = record[0], lower = record[0];
      for (uint32_t j = 0; j < 3; ++j) {
        const uint32_t* column = x + 2 * (i + j);
        const uint32_t A = column[kOldest], B = column[1 - kOldest];
        upper = simd::smlabt(B, w[3 + j], simd::smlad(A, w[j], upper));
        lower = simd::smlad(B, w[3 + j], simd::smlatb(A, w[j], lower));
      }
      finish_value<kFinish, kBits>(y + pass.row_bytes, lower, scale_of(record));
      finish_value<kFinish, kBits>(y, upper, scale_of(record));
    }
  });
}

template <Finish kFinish, int kBits, int kOldest>
inline void pass_3x3_stride2(const PlanePass& pass) {
  for_each_step(pass, 4, kRecord_words_3x3_stride2,
                [&](const uint32_t* x, uint8_t* y, const uint32_t* record) {
    const uint32_t* w = record + 4;
    for (uint32_t i = 0; i < 2; ++i, y += pass.column_bytes) {
      const uint32_t* A = x + 4 * i + kOldest;
      const uint32_t* B = x + 4 * i + (1 - kOldest);
      uint32_t sum = simd::smlabt(B[0], w[3], simd::smlad(A[0], w[0], record[0]));
      sum = simd::smlabb(B[2], w[4], simd::smlad(A[2], w[1], sum));
      sum = simd::smlabt(B[4], w[4], simd::smlad(A[4], w[2], sum));
      finish_value<kFinish, kBits>(y, sum, scale_of(record));
    }
  });
}

template <Finish kFinish, int kBits, int kOldest>
inline void pass_5x5_stride1(const PlanePass& pass) {
  constexpr int kMiddle = (kOldest + 1) % 3, kNewest = (kOldest + 2) % 3;
  for_each_step(pass, 3, kRecord_words_5x5,
                [&](const uint32_t* x, uint8_t* y, const uint32_t* record) {
    for (uint32_t i = 0; i < 2; ++i, y += pass.column_bytes) {
      uint32_t upper = record[0], lower = record[0];
      const uint32_t* w = record + 4;
      for (uint32_t j = 0; j < 5; ++j, w += 4) {
        const uint32_t* column = x + 3 * (i + j);
        const uint32_t A = column[kOldest], B = column[kMiddle], D = column[kNewest];
        upper = simd::smlabt(D, w[3], simd::smlad(B, w[1], simd::smlad(A, w[0], upper)));
        lower = simd::smlad(D, w[3], simd::smlad(B, w[2], simd::smlatb(A, w[0], lower)));
      }
      finish_value<kFinish, kBits>(y + pass.row_bytes, lower, scale_of(record));
      finish_value<kFinish, kBits>(y, upper, scale_of(record));
    }
  });
}

}  // namespace mcusim::ops

#endif
