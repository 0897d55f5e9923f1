// SPDX-License-Identifier: MIT
// The wide core over all groups of a block, in assembly: a channel pair from its first
// load to the stored bytes. Naked functions, because the loop needs all 14 registers
// and whatever the compiler put between two groups would be a third of a small layer.
//
// r0-r3 sums of channel 0 · r4-r7 of channel 1 · r8, r9 weights · r10, r11 lanes ·
// r12 weight row · lr lanes. The job lies on the stack, on 8 bytes, so that two loads
// of a pair of words issue at once. Freestanding.
#pragma once

#include "kernels/ops/cores/core.h"

namespace mcusim::matmul {

// Each load stands behind a MAC, pairs with it and is used two cycles later. All
// instructions are 32 bits wide, since the loop is entered in the middle: K costs what
// it is. `even`, `odd` name what the sums start from.
#define MCUSIM_WIDE_STEP_FROM(even, odd, next)                                      \
  "smlad r0, r10, r8, " even("r0") "\n ldr.w r11, [lr], #4\n"                       \
  "smlad r4, r10, r9, " odd("r4") "\n ldr.w r10, [lr], #4\n"                        \
  "smlad r1, r11, r8, " even("r1") "\n"                                             \
  "smlad r5, r11, r9, " odd("r5") "\n ldr.w r11, [lr], #4\n"                        \
  "smlad r2, r10, r8, " even("r2") "\n"                                             \
  "smlad r6, r10, r9, " odd("r6") "\n ldr.w r10, [lr], #4\n"                        \
  "smlad r3, r11, r8, r3\n ldr.w r8, [r12], #4\n"                                   \
  "smlad r7, r11, r9, r7\n" next "ldr.w r9, [r12], #4\n"
#define MCUSIM_WIDE_SAME(sum) sum
#define MCUSIM_WIDE_BIAS0(sum) "r3"
#define MCUSIM_WIDE_BIAS1(sum) "r7"
#define MCUSIM_WIDE_STEP MCUSIM_WIDE_STEP_FROM(MCUSIM_WIDE_SAME, MCUSIM_WIDE_SAME, "")
#define MCUSIM_WIDE_FIRST \
  MCUSIM_WIDE_STEP_FROM(MCUSIM_WIDE_BIAS0, MCUSIM_WIDE_BIAS1, "ldr r11, [sp, #4]\n")

// The same for groups of three pixels, whose fourth lane is passed over: six cycles.
#define MCUSIM_WIDE_STEP3                                                           \
  "smlad r0, r10, r8, r0\n ldr.w r11, [lr], #4\n"                                  \
  "smlad r4, r10, r9, r4\n ldr.w r3, [lr], #8\n"                                   \
  "smlad r1, r11, r8, r1\n ldr.w r10, [lr], #4\n"                                  \
  "smlad r5, r11, r9, r5\n"                                                        \
  "smlad r2, r3, r8, r2\n ldr.w r8, [r12], #4\n"                                   \
  "smlad r6, r3, r9, r6\n ldr.w r9, [r12], #4\n"
#define MCUSIM_WIDE_FIRST3                                                          \
  "smlad r0, r10, r8, r3\n ldr.w r11, [lr], #4\n"                                  \
  "smlad r4, r10, r9, r7\n ldr.w r10, [lr], #8\n"                                  \
  "smlad r1, r11, r8, r3\n smlad r5, r11, r9, r7\n ldr r11, [sp, #4]\n"            \
  "smlad r2, r10, r8, r3\n ldr.w r8, [r12], #4\n"                                  \
  "smlad r6, r10, r9, r7\n ldr.w r10, [lr], #4\n ldr.w r9, [r12], #4\n"

// Entered with the job in r0. At `finish` lr points behind the first word of the
// group's record, which r10 holds; it leaves r10 and lr one word into the next
// group's lanes and the row in r12.
#define MCUSIM_WIDE_LOOP(first, steps, finish)                                                    \
  "push {r4-r11, lr}\n ldmia r0, {r1-r12, lr}\n push {r1-r12, lr}\n"                \
  "ldr lr, [r0, #52]\n adr.w r1, 1f\n add r1, r1, r2\n str r1, [sp, #4]\n"           \
  "ldr r12, [sp, #44]\n ldr r10, [lr], #4\n"                                        \
  "5: ldr r7, [sp, #12]\n ldr.w r8, [r12], #4\n"                                    \
  "ldr r3, [sp, #8]\n ldr.w r9, [r12], #4\n"                                        \
  first "mov pc, r11\n .p2align 3\n1:\n" steps                                   \
  "ldr r11, [sp]\n cmp r12, r11\n bne 1b\n" finish                                  \
  "ldr r11, [sp, #48]\n cmp lr, r11\n bne 5b\n add sp, #52\n pop {r4-r11, pc}\n"

// The sums of one group, eight words at `to`; only for a block of one group. Rarer, so
// unrolled less deep.
#define MCUSIM_WIDE_SUMS "ldr r11, [sp, #40]\n stmia r11, {r0-r7}\n add lr, lr, #16\n"

// A saturation issues in the older slot only and not beside a shifted operand; a MAC's
// result is there two cycles later, and so is a load's for a MAC.
#define MCUSIM_WIDE_ICN                                                             \
  "ldr r8, [sp, #16]\n ldr r9, [sp, #20]\n ldr r12, [sp, #32]\n"                    \
  "smmla r0, r0, r8, r9\n smmla r1, r1, r8, r9\n"                                   \
  "smmla r2, r2, r8, r9\n ldr r11, [sp, #24]\n"                                     \
  "smmla r3, r3, r8, r9\n ldr r9, [sp, #28]\n"                                      \
  "asr r0, r0, r12\n asr r1, r1, r12\n"                                             \
  "smmla r4, r4, r11, r9\n asr r2, r2, r12\n"                                       \
  "smmla r5, r5, r11, r9\n asr r3, r3, r12\n"                                       \
  "smmla r6, r6, r11, r9\n ldr r8, [sp, #36]\n"                                     \
  "usat r0, %[bits], r0\n smmla r7, r7, r11, r9\n"
#define MCUSIM_WIDE_TIES(sum) "add r11, r11, " sum ", asr #31\n"
#define MCUSIM_WIDE_NO_TIES(sum) ""
#define MCUSIM_WIDE_ROUND(sum, ties) \
  "add r11, " sum ", r9\n" ties(sum) "smmlar " sum ", " sum ", r8, r11\n"
#define MCUSIM_WIDE_TFLITE(ties)                                                    \
  "ldr r8, [sp, #16]\n ldr r9, [sp, #20]\n ldr r12, [sp, #32]\n"                    \
  MCUSIM_WIDE_ROUND("r0", ties) MCUSIM_WIDE_ROUND("r1", ties)                       \
  MCUSIM_WIDE_ROUND("r2", ties) MCUSIM_WIDE_ROUND("r3", ties)                       \
  "ldr r8, [sp, #24]\n ldr r9, [sp, #28]\n"                                         \
  "asr r0, r0, r12\n asr r1, r1, r12\n"                                             \
  MCUSIM_WIDE_ROUND("r4", ties) MCUSIM_WIDE_ROUND("r5", ties)                       \
  MCUSIM_WIDE_ROUND("r6", ties) MCUSIM_WIDE_ROUND("r7", ties)                       \
  "asr r2, r2, r12\n asr r3, r3, r12\n"                                             \
  "usat r0, %[bits], r0\n ldr r8, [sp, #36]\n"
#define MCUSIM_WIDE_STORE(store)                                                    \
  "usat r1, %[bits], r1\n asr r4, r4, r8\n"                                         \
  "usat r2, %[bits], r2\n asr r5, r5, r8\n"                                         \
  "usat r3, %[bits], r3\n asr r6, r6, r8\n"                                         \
  "usat r4, %[bits], r4\n asr r7, r7, r8\n"                                         \
  "usat r5, %[bits], r5\n ldr r12, [sp, #44]\n"                                     \
  "usat r6, %[bits], r6\n ldr r11, [lr], #4\n"                                      \
  "orr r0, r0, r4, lsl %[bits]\n ldr r4, [sp, #40]\n"                               \
  "usat r7, %[bits], r7\n ldr r8, [lr], #4\n"                                       \
  "orr r1, r1, r5, lsl %[bits]\n ldr r9, [lr], #4\n"                                \
  "orr r2, r2, r6, lsl %[bits]\n " store " r0, [r4, r10]\n"                         \
  "orr r3, r3, r7, lsl %[bits]\n " store " r1, [r4, r11]\n"                         \
  store " r2, [r4, r8]\n ldr r10, [lr], #4\n" store " r3, [r4, r9]\n"

#define MCUSIM_WIDE_ICN3                                                            \
  "ldr r8, [sp, #16]\n ldr r9, [sp, #20]\n ldr r12, [sp, #32]\n"                    \
  "smmla r0, r0, r8, r9\n smmla r1, r1, r8, r9\n ldr r11, [sp, #24]\n"             \
  "smmla r2, r2, r8, r9\n ldr r9, [sp, #28]\n"                                     \
  "asr r0, r0, r12\n asr r1, r1, r12\n"                                            \
  "smmla r4, r4, r11, r9\n asr r2, r2, r12\n"                                      \
  "smmla r5, r5, r11, r9\n ldr r8, [sp, #36]\n"                                    \
  "usat r0, %[bits], r0\n smmla r6, r6, r11, r9\n"
#define MCUSIM_WIDE_TFLITE3(ties)                                                   \
  "ldr r8, [sp, #16]\n ldr r9, [sp, #20]\n ldr r12, [sp, #32]\n"                    \
  MCUSIM_WIDE_ROUND("r0", ties) MCUSIM_WIDE_ROUND("r1", ties)                       \
  MCUSIM_WIDE_ROUND("r2", ties) "ldr r8, [sp, #24]\n ldr r9, [sp, #28]\n"          \
  "asr r0, r0, r12\n asr r1, r1, r12\n"                                            \
  MCUSIM_WIDE_ROUND("r4", ties) MCUSIM_WIDE_ROUND("r5", ties)                       \
  MCUSIM_WIDE_ROUND("r6", ties) "ldr r8, [sp, #36]\n asr r2, r2, r12\n"            \
  "usat r0, %[bits], r0\n"
#define MCUSIM_WIDE_STORE3                                                          \
  "usat r1, %[bits], r1\n asr r4, r4, r8\n"                                        \
  "usat r2, %[bits], r2\n asr r5, r5, r8\n"                                        \
  "usat r4, %[bits], r4\n asr r6, r6, r8\n"                                        \
  "usat r5, %[bits], r5\n ldr r12, [sp, #44]\n"                                    \
  "usat r6, %[bits], r6\n ldr r11, [lr], #4\n"                                     \
  "orr r0, r0, r4, lsl %[bits]\n ldr r4, [sp, #40]\n"                              \
  "orr r1, r1, r5, lsl %[bits]\n ldr r8, [lr], #8\n"                               \
  "orr r2, r2, r6, lsl %[bits]\n strh r0, [r4, r10]\n"                             \
  "strh r1, [r4, r11]\n ldr r10, [lr], #4\n strh r2, [r4, r8]\n"

#define MCUSIM_WIDE_FOUR(finish) \
  MCUSIM_WIDE_LOOP(MCUSIM_WIDE_FIRST, MCUSIM_EIGHT_TIMES(MCUSIM_WIDE_STEP), finish)
#define MCUSIM_WIDE_THREE(finish) \
  MCUSIM_WIDE_LOOP(MCUSIM_WIDE_FIRST3, MCUSIM_EIGHT_TIMES(MCUSIM_WIDE_STEP3), \
                   finish MCUSIM_WIDE_STORE3)
#define MCUSIM_WIDE_FUSED(scale)                                                          \
  if constexpr (kOut == 8)                                                                \
    asm volatile(MCUSIM_WIDE_FOUR(scale MCUSIM_WIDE_STORE("strh"))::[bits] "i"(kOut));    \
  else                                                                                    \
    asm volatile(MCUSIM_WIDE_FOUR(scale MCUSIM_WIDE_STORE("strb"))::[bits] "i"(kOut))

template <net::Contract kContract, int kOut, bool kTies>
[[gnu::naked, gnu::noinline]] void wide_groups(const WideJob&) {
  if constexpr (kContract == net::Contract::icn_floor) {
    MCUSIM_WIDE_FUSED(MCUSIM_WIDE_ICN);
  } else if constexpr (kTies) {
    MCUSIM_WIDE_FUSED(MCUSIM_WIDE_TFLITE(MCUSIM_WIDE_TIES));
  } else {
    MCUSIM_WIDE_FUSED(MCUSIM_WIDE_TFLITE(MCUSIM_WIDE_NO_TIES));
  }
}

// Groups of three pixels, 8-bit outputs.
template <net::Contract kContract, bool kTies>
[[gnu::naked, gnu::noinline]] void wide_threes(const WideJob&) {
  if constexpr (kContract == net::Contract::icn_floor)
    asm volatile(MCUSIM_WIDE_THREE(MCUSIM_WIDE_ICN3)::[bits] "i"(8));
  else if constexpr (kTies)
    asm volatile(MCUSIM_WIDE_THREE(MCUSIM_WIDE_TFLITE3(MCUSIM_WIDE_TIES))::[bits] "i"(8));
  else
    asm volatile(MCUSIM_WIDE_THREE(MCUSIM_WIDE_TFLITE3(MCUSIM_WIDE_NO_TIES))::[bits] "i"(8));
}

[[gnu::naked, gnu::noinline]] inline void wide_sums(const WideJob&) {
  asm volatile(
      MCUSIM_WIDE_LOOP(MCUSIM_WIDE_FIRST, MCUSIM_TWICE(MCUSIM_WIDE_STEP), MCUSIM_WIDE_SUMS));
}

#undef MCUSIM_WIDE_FUSED
#undef MCUSIM_WIDE_THREE
#undef MCUSIM_WIDE_FOUR
#undef MCUSIM_WIDE_STORE3
#undef MCUSIM_WIDE_TFLITE3
#undef MCUSIM_WIDE_ICN3
#undef MCUSIM_WIDE_STORE
#undef MCUSIM_WIDE_TFLITE
#undef MCUSIM_WIDE_ROUND
#undef MCUSIM_WIDE_NO_TIES
#undef MCUSIM_WIDE_TIES
#undef MCUSIM_WIDE_ICN
#undef MCUSIM_WIDE_SUMS
#undef MCUSIM_WIDE_LOOP
#undef MCUSIM_WIDE_FIRST3
#undef MCUSIM_WIDE_STEP3
#undef MCUSIM_WIDE_FIRST
#undef MCUSIM_WIDE_STEP
#undef MCUSIM_WIDE_BIAS1
#undef MCUSIM_WIDE_BIAS0
#undef MCUSIM_WIDE_SAME
#undef MCUSIM_WIDE_STEP_FROM

}  // namespace mcusim::matmul
