// SPDX-License-Identifier: MIT
// The ends of the depthwise loops: from two or four sums to stored outputs, as asm
// text for the target and as plain functions for the host.
//
//   icn     SMMLA with the zero point << shift as addend, ASR, USAT
//   tflite  SMMULR of doubled sums, the sign as correction of ties, half and zero
//           point added, ASR, USAT
//   sums    the accumulators as words, for thresholds
// The lower row is stored first, so that a row distance of 0 leaves the upper one.
// Freestanding.
#pragma once

#include "kernels/simd.h"

namespace mcusim::ops {

enum class Finish : uint8_t { icn, tflite, sums };

#if defined(__arm__)

#define MCUSIM_DW_EACH4(text)                                                         \
  text("s00") text("s01") text("s10") text("s11")
#define MCUSIM_DW_SMMLA(s) "smmla %[" s "], %[" s "], %[A], %[B]\n"
#define MCUSIM_DW_SMMULR(s) "smmulr %[" s "], %[" s "], %[A]\n"
#define MCUSIM_DW_SIGN(s) "add %[" s "], %[" s "], %[" s "], asr #31\n"
#define MCUSIM_DW_ADD(s) "add %[" s "], %[" s "], %[B]\n"
// Shift and clamp of four values, then the stores. In: shift in B.
#define MCUSIM_DW_STORE4                                                              \
  "asr %[s01], %[s01], %[B]\n ldr %[A], %[row]\n asr %[s00], %[s00], %[B]\n"          \
  "usat %[s01], %[bits], %[s01]\n asr %[s11], %[s11], %[B]\n"                         \
  "usat %[s00], %[bits], %[s00]\n strb %[s01], [%[y], %[A]]\n"                        \
  "asr %[s10], %[s10], %[B]\n ldr %[B], %[column]\n strb %[s00], [%[y]]\n"            \
  "usat %[s11], %[bits], %[s11]\n add %[y], %[y], %[B]\n"                             \
  "usat %[s10], %[bits], %[s10]\n strb %[s11], [%[y], %[A]]\n"                        \
  "strb %[s10], [%[y]]\n add %[y], %[y], %[B]\n"
#define MCUSIM_DW_ICN4                                                                \
  "ldr %[A], %[mult]\n ldr %[B], %[add]\n" MCUSIM_DW_EACH4(MCUSIM_DW_SMMLA)           \
  "ldr %[B], %[shift]\n" MCUSIM_DW_STORE4
#define MCUSIM_DW_TFLITE4                                                             \
  "ldr %[A], %[mult]\n ldr %[B], %[add]\n" MCUSIM_DW_EACH4(MCUSIM_DW_SMMULR)          \
  MCUSIM_DW_EACH4(MCUSIM_DW_SIGN) MCUSIM_DW_EACH4(MCUSIM_DW_ADD)                      \
  "ldr %[B], %[shift]\n" MCUSIM_DW_STORE4
#define MCUSIM_DW_SUMS_OUT4                                                           \
  "ldr %[A], %[row]\n ldr %[B], %[column]\n"                                          \
  "str %[s01], [%[y], %[A]]\n str %[s00], [%[y]]\n add %[y], %[y], %[B]\n"            \
  "str %[s11], [%[y], %[A]]\n str %[s10], [%[y]]\n add %[y], %[y], %[B]\n"

// One row, two columns; multiplier, addend and shift in registers M, K, N. A and B
// hold activations of the next step and must survive.
#define MCUSIM_DW_STORE2                                                              \
  "asr %[s0], %[s0], %[N]\n asr %[s1], %[s1], %[N]\n"                                 \
  "usat %[s0], %[bits], %[s0]\n usat %[s1], %[bits], %[s1]\n strb %[s0], [%[y]]\n"    \
  "ldr %[s0], %[column]\n strb %[s1], [%[y], %[s0]]\n add %[y], %[y], %[s0], lsl #1\n"
#define MCUSIM_DW_ICN2                                                                \
  "smmla %[s0], %[s0], %[M], %[K]\n smmla %[s1], %[s1], %[M], %[K]\n" MCUSIM_DW_STORE2
#define MCUSIM_DW_TFLITE2                                                             \
  "smmulr %[s0], %[s0], %[M]\n smmulr %[s1], %[s1], %[M]\n" MCUSIM_DW_SIGN("s0")      \
  MCUSIM_DW_SIGN("s1") "add %[s0], %[s0], %[K]\n add %[s1], %[s1], %[K]\n"            \
  MCUSIM_DW_STORE2
#define MCUSIM_DW_SUMS_OUT2                                                           \
  "str %[s0], [%[y]]\n ldr %[s0], %[column]\n str %[s1], [%[y], %[s0]]\n"             \
  "add %[y], %[y], %[s0], lsl #1\n"

#else

template <Finish kFinish, int kBits>
inline void finish_value(uint8_t* to, uint32_t sum, uint32_t mult, uint32_t add, uint32_t shift) {
  if constexpr (kFinish == Finish::sums) {
    simd::store_any(to, sum);
  } else {
    const int32_t acc = static_cast<int32_t>(sum), m = static_cast<int32_t>(mult);
    int32_t v;
    if constexpr (kFinish == Finish::icn) {
      v = simd::smmla(acc, m, static_cast<int32_t>(add));
    } else {
      v = static_cast<int32_t>((int64_t{acc} * m + (INT64_C(1) << 31)) >> 32);
      v = static_cast<int32_t>(static_cast<uint32_t>(v) + static_cast<uint32_t>(v >> 31) + add);
    }
    *to = static_cast<uint8_t>(simd::usat<kBits>(v >> shift));
  }
}

template <Finish kFinish, int kBits>
inline uint8_t* finish_two_rows(uint8_t* y, uint32_t s00, uint32_t s01, uint32_t s10, uint32_t s11,
                                uint32_t mult, uint32_t add, uint32_t shift, uint32_t row,
                                uint32_t column) {
  finish_value<kFinish, kBits>(y + row, s01, mult, add, shift);
  finish_value<kFinish, kBits>(y, s00, mult, add, shift);
  finish_value<kFinish, kBits>(y + column + row, s11, mult, add, shift);
  finish_value<kFinish, kBits>(y + column, s10, mult, add, shift);
  return y + 2 * column;
}

template <Finish kFinish, int kBits>
inline uint8_t* finish_one_row(uint8_t* y, uint32_t s0, uint32_t s1, uint32_t mult, uint32_t add,
                               uint32_t shift, uint32_t column) {
  finish_value<kFinish, kBits>(y, s0, mult, add, shift);
  finish_value<kFinish, kBits>(y + column, s1, mult, add, shift);
  return y + 2 * column;
}

#endif

}  // namespace mcusim::ops
