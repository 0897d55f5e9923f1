// SPDX-License-Identifier: MIT
// The inner loops of the blocked depthwise forms: one pass makes one or two output
// rows of some channels of a tile from the row pairs in the ring.
//
// With A = (r0, r1) the older and B = (r2, r3) the newer row pair of a column and
// P = (w0, w1), Q = (w1, w2) of a tap column, two output rows take
//     upper += SMLAD(A, P)  + SMLABT(B, Q)       r0w0 + r1w1 + r2w2
//     lower += SMLATB(A, P) + SMLAD(B, Q)        r1w0 + r2w1 + r3w2
// that is 4 instructions for 6 MACs and no odd tap. 5x5 adds the pair D = (r4, r5)
// and takes 6 for 10. Stride 2 uses the first line alone. Each loop is one asm
// statement that holds all 14 registers; the plain loop beside it is its twin.
// A row of odd length ends with a step that overlaps the one before. Freestanding.
#pragma once

#include "kernels/ops/depthwise_finish.h"
#include "kernels/ops/depthwise_plan.h"
#include "kernels/simd.h"

namespace mcusim::ops {

struct PlanePass {
  const uint32_t* planes;   // of the first channel
  uint32_t plane_words;     // from channel to channel
  const uint32_t* records;
  uint32_t record_words;
  uint8_t* out;             // first column of the upper row
  uint32_t channel_bytes;   // in the output, from channel to channel
  uint32_t row_bytes;       // to the lower row; 0 writes only one row, the upper
  uint32_t column_bytes;
  uint32_t channels, columns;  // columns >= 2
};

// What an asm loop reads from the stack frame.
struct PassFrame {
  uint32_t bias, mult, add, shift, row, column;
  const uint32_t* end;
};

inline PassFrame pass_frame(const PlanePass& pass, const uint32_t* record) {
  return {record[0], record[1], record[2], record[3], pass.row_bytes, pass.column_bytes, nullptr};
}

#if defined(__arm__)
#define MCUSIM_DW_FRAME                                                            \
  [bias] "m"(f.bias), [mult] "m"(f.mult), [add] "m"(f.add), [shift] "m"(f.shift), \
      [row] "m"(f.row), [column] "m"(f.column), [end] "m"(f.end)
#define MCUSIM_DW_SUMS4 \
  [s00] "=&r"(s00), [s01] "=&r"(s01), [s10] "=&r"(s10), [s11] "=&r"(s11)
#define MCUSIM_DW_MAC(op, s, x, w) op " %[" s "], %[" x "], %[" w "], %[" s "]\n"
#define MCUSIM_DW_START(op, s, x, w) op " %[" s "], %[" x "], %[" w "], %[s11]\n"

// 3x3, stride 1: two rows, two columns. Loads stand in front of MACs and at least
// one MAC before their use.
#define MCUSIM_DW_LOOP3(finish)                                                            \
  "ldr %[A], [%[x], %[older]]\n .p2align 3\n1:\n"                                          \
  "ldr %[s11], %[bias]\n ldr %[B], [%[x], %[newer]]\n"                                     \
  MCUSIM_DW_START("smlad", "s00", "A", "P0") MCUSIM_DW_START("smlatb", "s01", "A", "P0")   \
  "ldr %[A], [%[x], #%c[older]+8]\n"                                                       \
  MCUSIM_DW_MAC("smlabt", "s00", "B", "Q0") MCUSIM_DW_MAC("smlad", "s01", "B", "Q0")       \
  MCUSIM_DW_START("smlad", "s10", "A", "P0") MCUSIM_DW_START("smlatb", "s11", "A", "P0")   \
  "ldr %[B], [%[x], #%c[newer]+8]\n"                                                       \
  MCUSIM_DW_MAC("smlad", "s00", "A", "P1") MCUSIM_DW_MAC("smlatb", "s01", "A", "P1")       \
  "ldr %[A], [%[x], #%c[older]+16]\n"                                                      \
  MCUSIM_DW_MAC("smlabt", "s00", "B", "Q1") MCUSIM_DW_MAC("smlad", "s01", "B", "Q1")       \
  MCUSIM_DW_MAC("smlabt", "s10", "B", "Q0") MCUSIM_DW_MAC("smlad", "s11", "B", "Q0")       \
  "ldr %[B], [%[x], #%c[newer]+16]\n"                                                      \
  MCUSIM_DW_MAC("smlad", "s00", "A", "P2") MCUSIM_DW_MAC("smlatb", "s01", "A", "P2")       \
  MCUSIM_DW_MAC("smlad", "s10", "A", "P1") MCUSIM_DW_MAC("smlatb", "s11", "A", "P1")       \
  "ldr %[A], [%[x], #%c[older]+24]\n"                                                      \
  MCUSIM_DW_MAC("smlabt", "s00", "B", "Q2") MCUSIM_DW_MAC("smlad", "s01", "B", "Q2")       \
  MCUSIM_DW_MAC("smlabt", "s10", "B", "Q1") MCUSIM_DW_MAC("smlad", "s11", "B", "Q1")       \
  "ldr %[B], [%[x], #%c[newer]+24]\n"                                                      \
  MCUSIM_DW_MAC("smlad", "s10", "A", "P2") MCUSIM_DW_MAC("smlatb", "s11", "A", "P2")       \
  "adds %[x], %[x], #16\n"                                                                 \
  MCUSIM_DW_MAC("smlabt", "s10", "B", "Q2") MCUSIM_DW_MAC("smlad", "s11", "B", "Q2")       \
  finish "ldr %[s00], %[end]\n ldr %[A], [%[x], %[older]]\n cmp %[x], %[s00]\n bne 1b\n"
#endif

template <Finish kFinish, int kBits, bool kSwapped>
[[gnu::noinline]] void pass_3x3_stride1(const PlanePass& pass) {
  const uint32_t* record = pass.records;
  const uint32_t* plane = pass.planes;
  uint8_t* out = pass.out;
  for (uint32_t c = pass.channels; c != 0; --c) {
    PassFrame f = pass_frame(pass, record);
    const uint32_t* x = plane;
    uint8_t* y = out;
    const uint32_t* last = x + 2 * pass.columns;
    f.end = x + (2 * pass.columns & ~3u);
    for (;;) {
      uint32_t s00, s01, s10, s11;
#if defined(__arm__)
      uint32_t A, B;
#define MCUSIM_DW_RUN(finish)                                                                \
  asm volatile(MCUSIM_DW_LOOP3(finish)                                                       \
               : [x] "+r"(x), [y] "+r"(y), MCUSIM_DW_SUMS4, [A] "=&r"(A), [B] "=&r"(B)       \
               : [P0] "r"(record[4]), [P1] "r"(record[5]), [P2] "r"(record[6]),              \
                 [Q0] "r"(record[7]), [Q1] "r"(record[8]), [Q2] "r"(record[9]),              \
                 MCUSIM_DW_FRAME, [older] "i"(kSwapped ? 4 : 0), [newer] "i"(kSwapped ? 0 : 4), \
                 [bits] "i"(kBits)                                                           \
               : "cc", "memory")
      if constexpr (kFinish == Finish::icn) MCUSIM_DW_RUN(MCUSIM_DW_ICN4);
      if constexpr (kFinish == Finish::tflite) MCUSIM_DW_RUN(MCUSIM_DW_TFLITE4);
      if constexpr (kFinish == Finish::sums) MCUSIM_DW_RUN(MCUSIM_DW_SUMS_OUT4);
#undef MCUSIM_DW_RUN
#else
      const uint32_t* w = record + kRecordHeader_words;
      for (; x != f.end; x += 4) {
        s00 = s01 = s10 = s11 = f.bias;
        for (int j = 0; j < 3; ++j) {
          const uint32_t P = w[j], Q = w[3 + j];
          const uint32_t* column = x + 2 * j;
          uint32_t A = column[kSwapped], B = column[!kSwapped];
          s00 = simd::smlabt(B, Q, simd::smlad(A, P, s00));
          s01 = simd::smlad(B, Q, simd::smlatb(A, P, s01));
          A = column[2 + kSwapped], B = column[2 + !kSwapped];
          s10 = simd::smlabt(B, Q, simd::smlad(A, P, s10));
          s11 = simd::smlad(B, Q, simd::smlatb(A, P, s11));
        }
        y = finish_two_rows<kFinish, kBits>(y, s00, s01, s10, s11, f.mult, f.add, f.shift, f.row,
                                            f.column);
      }
#endif
      if (x == last) break;
      x -= 2;
      y -= f.column;
      f.end = last;
    }
    plane += pass.plane_words;
    record += pass.record_words;
    out += pass.channel_bytes;
  }
}

#if defined(__arm__)
#undef MCUSIM_DW_LOOP3
// 3x3, stride 2: one row, two columns; the fifth column is the next step's first.
#define MCUSIM_DW_LOOP3S2(finish)                                                          \
  "ldr %[A], [%[x], %[older]]\n ldr %[B], [%[x], %[newer]]\n .p2align 3\n1:\n"             \
  "ldr %[s1], %[bias]\n"                                                                   \
  "smlad %[s0], %[A], %[P0], %[s1]\n ldr %[A], [%[x], #%c[older]+8]\n"                     \
  MCUSIM_DW_MAC("smlabt", "s0", "B", "Q0") "ldr %[B], [%[x], #%c[newer]+8]\n"              \
  MCUSIM_DW_MAC("smlad", "s0", "A", "P1") "ldr %[A], [%[x], #%c[older]+16]\n"              \
  MCUSIM_DW_MAC("smlabb", "s0", "B", "Q1") "ldr %[B], [%[x], #%c[newer]+16]\n"             \
  MCUSIM_DW_MAC("smlad", "s0", "A", "P2") MCUSIM_DW_MAC("smlad", "s1", "A", "P0")          \
  "ldr %[A], [%[x], #%c[older]+24]\n"                                                      \
  MCUSIM_DW_MAC("smlabt", "s0", "B", "Q1") MCUSIM_DW_MAC("smlabt", "s1", "B", "Q0")        \
  "ldr %[B], [%[x], #%c[newer]+24]\n"                                                      \
  MCUSIM_DW_MAC("smlad", "s1", "A", "P1") "ldr %[A], [%[x], #%c[older]+32]\n"              \
  MCUSIM_DW_MAC("smlabb", "s1", "B", "Q1") "ldr %[B], [%[x], #%c[newer]+32]\n"             \
  "adds %[x], %[x], #32\n"                                                                 \
  MCUSIM_DW_MAC("smlad", "s1", "A", "P2") MCUSIM_DW_MAC("smlabt", "s1", "B", "Q1")         \
  finish "ldr %[s0], %[end]\n cmp %[x], %[s0]\n bne 1b\n"
#endif

template <Finish kFinish, int kBits, bool kSwapped>
[[gnu::noinline]] void pass_3x3_stride2(const PlanePass& pass) {
  const uint32_t* record = pass.records;
  const uint32_t* plane = pass.planes;
  uint8_t* out = pass.out;
  for (uint32_t c = pass.channels; c != 0; --c) {
    PassFrame f = pass_frame(pass, record);
    const uint32_t* x = plane;
    uint8_t* y = out;
    const uint32_t* last = x + 4 * pass.columns;
    f.end = x + (4 * pass.columns & ~7u);
    for (;;) {
      uint32_t s0, s1;
#if defined(__arm__)
      uint32_t A, B;
#define MCUSIM_DW_RUN(finish)                                                                \
  asm volatile(MCUSIM_DW_LOOP3S2(finish)                                                     \
               : [x] "+r"(x), [y] "+r"(y), [s0] "=&r"(s0), [s1] "=&r"(s1), [A] "=&r"(A),     \
                 [B] "=&r"(B)                                                                \
               : [P0] "r"(record[4]), [P1] "r"(record[5]), [P2] "r"(record[6]),              \
                 [Q0] "r"(record[7]), [Q1] "r"(record[8]), [M] "r"(record[1]),               \
                 [K] "r"(record[2]), [N] "r"(record[3]), [bias] "m"(f.bias),                 \
                 [column] "m"(f.column), [end] "m"(f.end), [older] "i"(kSwapped ? 4 : 0),    \
                 [newer] "i"(kSwapped ? 0 : 4), [bits] "i"(kBits)                            \
               : "cc", "memory")
      if constexpr (kFinish == Finish::icn) MCUSIM_DW_RUN(MCUSIM_DW_ICN2);
      if constexpr (kFinish == Finish::tflite) MCUSIM_DW_RUN(MCUSIM_DW_TFLITE2);
      if constexpr (kFinish == Finish::sums) MCUSIM_DW_RUN(MCUSIM_DW_SUMS_OUT2);
#undef MCUSIM_DW_RUN
#else
      const uint32_t* w = record + kRecordHeader_words;
      const auto sum = [&](const uint32_t* column) {
        uint32_t s = f.bias;
        s = simd::smlabt(column[!kSwapped], w[3], simd::smlad(column[kSwapped], w[0], s));
        s = simd::smlabb(column[2 + !kSwapped], w[4], simd::smlad(column[2 + kSwapped], w[1], s));
        return simd::smlabt(column[4 + !kSwapped], w[4],
                            simd::smlad(column[4 + kSwapped], w[2], s));
      };
      for (; x != f.end; x += 8) {
        s0 = sum(x);
        s1 = sum(x + 4);
        y = finish_one_row<kFinish, kBits>(y, s0, s1, f.mult, f.add, f.shift, f.column);
      }
#endif
      if (x == last) break;
      x -= 4;
      y -= f.column;
      f.end = last;
    }
    plane += pass.plane_words;
    record += pass.record_words;
    out += pass.channel_bytes;
  }
}

#if defined(__arm__)
#undef MCUSIM_DW_LOOP3S2
// One tap column of 5x5 for two output columns: the second one's activations and
// the next tap's weights are loaded behind the last use of their registers. Column
// j + 1 stays loaded as the next tap's column.
#define MCUSIM_DW_TAP5(op, column, words)                                                  \
  op("smlad", "s00", "A", "P") op("smlatb", "s01", "A", "P")                               \
  "ldr %[A], [%[x], #%c[older]+" column "]\n"                                              \
  MCUSIM_DW_MAC("smlad", "s00", "B", "R") MCUSIM_DW_MAC("smlad", "s01", "B", "S")          \
  "ldr %[B], [%[x], #%c[middle]+" column "]\n"                                             \
  MCUSIM_DW_MAC("smlabt", "s00", "D", "V") MCUSIM_DW_MAC("smlad", "s01", "D", "V")         \
  "ldr %[D], [%[x], #%c[newer]+" column "]\n"                                              \
  op("smlad", "s10", "A", "P") op("smlatb", "s11", "A", "P")                               \
  "ldr %[P], [%[w], #" words "]\n"                                                         \
  MCUSIM_DW_MAC("smlad", "s10", "B", "R") "ldr %[R], [%[w], #" words "+4]\n"               \
  MCUSIM_DW_MAC("smlad", "s11", "B", "S") "ldr %[S], [%[w], #" words "+8]\n"               \
  MCUSIM_DW_MAC("smlabt", "s10", "D", "V") MCUSIM_DW_MAC("smlad", "s11", "D", "V")         \
  "ldr %[V], [%[w], #" words "+12]\n"
#define MCUSIM_DW_LOOP5(finish)                                                            \
  "ldr %[P], [%[w]]\n ldr %[R], [%[w], #4]\n ldr %[S], [%[w], #8]\n ldr %[V], [%[w], #12]\n" \
  ".p2align 3\n1:\n"                                                                       \
  "ldr %[A], [%[x], %[older]]\n ldr %[s11], %[bias]\n"                                     \
  "ldr %[B], [%[x], %[middle]]\n ldr %[D], [%[x], %[newer]]\n"                             \
  MCUSIM_DW_TAP5(MCUSIM_DW_START, "12", "16")                                      \
  MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "24", "32")                                        \
  MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "36", "48")                                        \
  MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "48", "64")                                        \
  MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "60", "0")                                         \
  "adds %[x], %[x], #24\n"                                                                 \
  finish "ldr %[s00], %[end]\n cmp %[x], %[s00]\n bne 1b\n"
#endif

// kRotation: the ring slot of the oldest pair.
template <Finish kFinish, int kBits, int kRotation>
[[gnu::noinline]] void pass_5x5_stride1(const PlanePass& pass) {
  constexpr int kOlder = kRotation, kMiddle = (kRotation + 1) % 3, kNewer = (kRotation + 2) % 3;
  const uint32_t* record = pass.records;
  const uint32_t* plane = pass.planes;
  uint8_t* out = pass.out;
  for (uint32_t c = pass.channels; c != 0; --c) {
    PassFrame f = pass_frame(pass, record);
    const uint32_t* x = plane;
    const uint32_t* w = record + kRecordHeader_words;
    uint8_t* y = out;
    const uint32_t* last = x + 3 * pass.columns;
    f.end = x + 3 * (pass.columns & ~1u);
    for (;;) {
      uint32_t s00, s01, s10, s11;
#if defined(__arm__)
      uint32_t A, B, D, P, R, S, V;
#define MCUSIM_DW_RUN(finish)                                                                \
  asm volatile(MCUSIM_DW_LOOP5(finish)                                                       \
               : [x] "+r"(x), [y] "+r"(y), MCUSIM_DW_SUMS4, [A] "=&r"(A), [B] "=&r"(B),      \
                 [D] "=&r"(D), [P] "=&r"(P), [R] "=&r"(R), [S] "=&r"(S), [V] "=&r"(V)        \
               : [w] "r"(w), MCUSIM_DW_FRAME, [older] "i"(kOlder * 4),                       \
                 [middle] "i"(kMiddle * 4), [newer] "i"(kNewer * 4), [bits] "i"(kBits)       \
               : "cc", "memory")
      if constexpr (kFinish == Finish::icn) MCUSIM_DW_RUN(MCUSIM_DW_ICN4);
      if constexpr (kFinish == Finish::tflite) MCUSIM_DW_RUN(MCUSIM_DW_TFLITE4);
      if constexpr (kFinish == Finish::sums) MCUSIM_DW_RUN(MCUSIM_DW_SUMS_OUT4);
#undef MCUSIM_DW_RUN
#else
      for (; x != f.end; x += 6) {
        uint32_t upper[2], lower[2];
        for (int i = 0; i < 2; ++i) {
          upper[i] = lower[i] = f.bias;
          for (int j = 0; j < 5; ++j) {
            const uint32_t* column = x + 3 * (i + j);
            const uint32_t A = column[kOlder], B = column[kMiddle], D = column[kNewer];
            const uint32_t* t = w + 4 * j;
            upper[i] = simd::smlabt(D, t[3], simd::smlad(B, t[1], simd::smlad(A, t[0], upper[i])));
            lower[i] = simd::smlad(D, t[3], simd::smlad(B, t[2], simd::smlatb(A, t[0], lower[i])));
          }
        }
        s00 = upper[0], s01 = lower[0], s10 = upper[1], s11 = lower[1];
        y = finish_two_rows<kFinish, kBits>(y, s00, s01, s10, s11, f.mult, f.add, f.shift, f.row,
                                            f.column);
      }
#endif
      if (x == last) break;
      x -= 3;
      y -= f.column;
      f.end = last;
    }
    plane += pass.plane_words;
    record += pass.record_words;
    out += pass.channel_bytes;
  }
}

#if defined(__arm__)
#undef MCUSIM_DW_LOOP5
#undef MCUSIM_DW_TAP5
#undef MCUSIM_DW_FRAME
#undef MCUSIM_DW_SUMS4
#undef MCUSIM_DW_MAC
#undef MCUSIM_DW_START
#endif

}  // namespace mcusim::ops
