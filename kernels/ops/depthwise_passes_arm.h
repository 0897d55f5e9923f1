// SPDX-License-Identifier: MIT
// The passes of depthwise_passes.h as whole functions in assembly: each needs all 14
// registers in its inner loop, and a channel's set-up must be short because rows can
// be. Naked functions, so no compiler flag touches them.
//
// r0-r3 sums · r10 plane column · r11 output · r12, lr activations A, B. On the
// stack: bias, multiplier, addend, shift, end of the row, whether the odd column is
// due, a free word, then the ten words of PlanePass; pairs lie on 8 bytes. Loads
// stand in front of MACs and at least one MAC before their use, so that they issue
// together. Freestanding.
#pragma once

#include "kernels/ops/depthwise_finish.h"
#include "kernels/ops/plane_pass.h"

namespace mcusim::ops {

static_assert(sizeof(PlanePass) == 40);

#define MCUSIM_DW_BIAS "[sp]"
#define MCUSIM_DW_MULT "[sp, #4]"
#define MCUSIM_DW_ADDEND "[sp, #8]"
#define MCUSIM_DW_SHIFT "[sp, #12]"
#define MCUSIM_DW_END "[sp, #16]"
#define MCUSIM_DW_DUE "[sp, #20]"
#define MCUSIM_DW_ROW "[sp, #28]"
#define MCUSIM_DW_COLUMN "[sp, #32]"

#define MCUSIM_DW_ENTER                                                                    \
  "push {r4-r11, lr}\n ldmia r0, {r0-r9}\n push {r0-r9}\n sub sp, #28\n"
#define MCUSIM_DW_LEAVE "add sp, #68\n pop {r4-r11, pc}\n"

// Start of a channel behind its LDM (record pointer in lr, head in r0-r3): the head
// and the pointer go to the stack, plane and output advance for the next channel.
#define MCUSIM_DW_CHANNEL                                                                  \
  "strd r0, r1, [sp]\n strd r2, r3, [sp, #8]\n str lr, [sp, #36]\n"                        \
  "ldrd r10, r11, [sp, #40]\n ldrd r0, r12, [sp, #48]\n ldrd r2, lr, [sp, #56]\n"          \
  "add r0, r0, r10\n add r12, r12, r10\n add r2, r2, r11\n"                                \
  "strd r0, lr, [sp, #16]\n strd r12, r2, [sp, #40]\n"
// Behind the last whole step: the odd column, then the next channel.
#define MCUSIM_DW_NEXT(column, step)                                                       \
  "ldr r0, " MCUSIM_DW_DUE "\n cbz r0, 3f\n movs r0, #0\n ldr r12, " MCUSIM_DW_COLUMN "\n" \
  "sub r10, #" column "\n sub r11, r12\n add r12, r10, #" step "\n"                        \
  "strd r12, r0, [sp, #16]\n b 4b\n"                                                       \
  "3: ldr r0, [sp, #36]\n ldr r12, [sp, #64]\n cmp r0, r12\n bne 2b\n" MCUSIM_DW_LEAVE

#define MCUSIM_DW_MAC(op, s, x, w) op " " s ", " x ", " w ", " s "\n"
#define MCUSIM_DW_START(op, s, x, w) op " " s ", " x ", " w ", r3\n"

// Four sums: two columns (r0, r2 upper; r1, r3 lower row). Leaves the row's end in
// r0 and behind it the first loads of the next step, which `next` names.
#define MCUSIM_DW_STORE4(next)                                                             \
  "asr r1, r1, lr\n asr r0, r0, lr\n usat r1, %[bits], r1\n asr r3, r3, lr\n"              \
  "usat r0, %[bits], r0\n asr r2, r2, lr\n usat r3, %[bits], r3\n"                         \
  "ldr lr, " MCUSIM_DW_COLUMN "\n usat r2, %[bits], r2\n strb r1, [r11, r12]\n"            \
  "strb r0, [r11]\n ldr r0, " MCUSIM_DW_END "\n add r11, r11, lr\n"                        \
  "strb r3, [r11, r12]\n" next "strb r2, [r11]\n ldr r3, " MCUSIM_DW_BIAS "\n"             \
  "add r11, r11, lr\n"
#define MCUSIM_DW_SCALED4(scale, next)                                                     \
  scale " r1, r1, r12, lr\n " scale " r0, r0, r12, lr\n " scale " r3, r3, r12, lr\n"       \
  scale " r2, r2, r12, lr\n ldr lr, " MCUSIM_DW_SHIFT "\n ldr r12, " MCUSIM_DW_ROW "\n"     \
  MCUSIM_DW_STORE4(next)
#define MCUSIM_DW_ICN4(next) MCUSIM_DW_SCALED4("smmla", next)
#define MCUSIM_DW_ROUNDED4(next) MCUSIM_DW_SCALED4("smmlar", next)
#define MCUSIM_DW_TFLITE4(next)                                                            \
  "smmulr r1, r1, r12\n smmulr r0, r0, r12\n smmulr r3, r3, r12\n"                        \
  "add r1, r1, r1, asr #31\n smmulr r2, r2, r12\n add r0, r0, r0, asr #31\n"              \
  "ldr r12, " MCUSIM_DW_ROW "\n add r1, r1, lr\n add r3, r3, r3, asr #31\n"                \
  "add r0, r0, lr\n add r2, r2, r2, asr #31\n add r3, r3, lr\n add r2, r2, lr\n"          \
  "ldr lr, " MCUSIM_DW_SHIFT "\n" MCUSIM_DW_STORE4(next)
#define MCUSIM_DW_SUMS4(next)                                                              \
  "ldr r12, " MCUSIM_DW_ROW "\n ldr lr, " MCUSIM_DW_COLUMN "\n"                            \
  "str r1, [r11, r12]\n str r0, [r11]\n add r11, r11, lr\n ldr r0, " MCUSIM_DW_END "\n"   \
  "str r3, [r11, r12]\n" next "str r2, [r11]\n ldr r3, " MCUSIM_DW_BIAS "\n"               \
  "add r11, r11, lr\n"
// Two sums of one row in r0 and r9; multiplier, addend, shift in r1, r2, r3. The
// first sum is finished between the MACs of the second. A and B hold activations of
// the next step and must survive.
#define MCUSIM_DW_STORE2                                                                   \
  "strb r0, [r11]\n ldr r0, " MCUSIM_DW_COLUMN "\n"                                        \
  "asr r9, r9, r3\n usat r9, %[bits], r9\n strb r9, [r11, r0]\n"
#define MCUSIM_DW_ICN2_SCALE "smmla r0, r0, r1, r2\n"
#define MCUSIM_DW_ICN2_ROUND
#define MCUSIM_DW_ICN2_SHIFT "asr r0, r0, r3\n"
#define MCUSIM_DW_ICN2_CLAMP "usat r0, %[bits], r0\n"
#define MCUSIM_DW_ICN2_END "smmla r9, r9, r1, r2\n" MCUSIM_DW_STORE2
#define MCUSIM_DW_ROUNDED2_SCALE "smmlar r0, r0, r1, r2\n"
#define MCUSIM_DW_ROUNDED2_ROUND
#define MCUSIM_DW_ROUNDED2_SHIFT MCUSIM_DW_ICN2_SHIFT
#define MCUSIM_DW_ROUNDED2_CLAMP MCUSIM_DW_ICN2_CLAMP
#define MCUSIM_DW_ROUNDED2_END "smmlar r9, r9, r1, r2\n" MCUSIM_DW_STORE2
#define MCUSIM_DW_TFLITE2_SCALE "smmulr r0, r0, r1\n"
#define MCUSIM_DW_TFLITE2_ROUND "add r0, r0, r0, asr #31\n"
#define MCUSIM_DW_TFLITE2_SHIFT "add r0, r0, r2\n asr r0, r0, r3\n"
#define MCUSIM_DW_TFLITE2_CLAMP "usat r0, %[bits], r0\n"
// The sum's own sign corrects the tie here: where a sum below zero scales to 0, half
// less one rounds to 0 as well.
#define MCUSIM_DW_TFLITE2_END                                                              \
  "strb r0, [r11]\n add r0, r2, r9, asr #31\n smmlar r9, r9, r1, r0\n"                     \
  "ldr r0, " MCUSIM_DW_COLUMN "\n asr r9, r9, r3\n usat r9, %[bits], r9\n"                 \
  "strb r9, [r11, r0]\n"
#define MCUSIM_DW_SUMS2_SCALE
#define MCUSIM_DW_SUMS2_ROUND
#define MCUSIM_DW_SUMS2_SHIFT
#define MCUSIM_DW_SUMS2_CLAMP
#define MCUSIM_DW_SUMS2_END                                                                \
  "str r0, [r11]\n ldr r0, " MCUSIM_DW_COLUMN "\n str r9, [r11, r0]\n"

// 3x3, stride 1. P0-P2 in r4-r6, Q0-Q2 in r7-r9.
#define MCUSIM_DW_3X3(finish)                                                              \
  MCUSIM_DW_ENTER                                                                          \
  "2: ldr lr, [sp, #36]\n ldmia lr!, {r0-r9}\n" MCUSIM_DW_CHANNEL                          \
  "4: ldr r12, [r10, %[a]]\n ldr r3, " MCUSIM_DW_BIAS "\n .p2align 3\n1:\n"                \
  "ldr lr, [r10, %[b]]\n"                                                                  \
  MCUSIM_DW_START("smlad", "r0", "r12", "r4") MCUSIM_DW_START("smlatb", "r1", "r12", "r4") \
  "ldr r12, [r10, #%c[a]+8]\n"                                                             \
  MCUSIM_DW_MAC("smlabt", "r0", "lr", "r7") MCUSIM_DW_MAC("smlad", "r1", "lr", "r7")       \
  "ldr lr, [r10, #%c[b]+8]\n"                                                              \
  MCUSIM_DW_START("smlad", "r2", "r12", "r4") MCUSIM_DW_START("smlatb", "r3", "r12", "r4") \
  MCUSIM_DW_MAC("smlad", "r0", "r12", "r5") MCUSIM_DW_MAC("smlatb", "r1", "r12", "r5")     \
  "ldr r12, [r10, #%c[a]+16]\n"                                                            \
  MCUSIM_DW_MAC("smlabt", "r0", "lr", "r8") MCUSIM_DW_MAC("smlad", "r1", "lr", "r8")       \
  MCUSIM_DW_MAC("smlabt", "r2", "lr", "r7") MCUSIM_DW_MAC("smlad", "r3", "lr", "r7")       \
  "ldr lr, [r10, #%c[b]+16]\n"                                                             \
  MCUSIM_DW_MAC("smlad", "r0", "r12", "r6") MCUSIM_DW_MAC("smlatb", "r1", "r12", "r6")     \
  MCUSIM_DW_MAC("smlad", "r2", "r12", "r5") MCUSIM_DW_MAC("smlatb", "r3", "r12", "r5")     \
  "ldr r12, [r10, #%c[a]+24]\n"                                                            \
  MCUSIM_DW_MAC("smlabt", "r0", "lr", "r9") MCUSIM_DW_MAC("smlad", "r1", "lr", "r9")       \
  MCUSIM_DW_MAC("smlabt", "r2", "lr", "r8") MCUSIM_DW_MAC("smlad", "r3", "lr", "r8")       \
  "ldr lr, [r10, #%c[b]+24]\n"                                                             \
  MCUSIM_DW_MAC("smlad", "r2", "r12", "r6") MCUSIM_DW_MAC("smlatb", "r3", "r12", "r6")     \
  "ldr r12, " MCUSIM_DW_MULT "\n"                                                          \
  MCUSIM_DW_MAC("smlabt", "r2", "lr", "r9") MCUSIM_DW_MAC("smlad", "r3", "lr", "r9")       \
  "ldr lr, " MCUSIM_DW_ADDEND "\n add r10, r10, #16\n"                                     \
  finish("ldr r12, [r10, %[a]]\n") "cmp r10, r0\n bne 1b\n" MCUSIM_DW_NEXT("8", "16")

// 3x3, stride 2. P0-P2 in r4-r6, Q0, Q1 in r7, r8. The fifth column of a step is the
// next one's first.
#define MCUSIM_DW_3X3_S2(finish)                                                           \
  MCUSIM_DW_ENTER                                                                          \
  "2: ldr lr, [sp, #36]\n ldmia lr!, {r0-r8}\n" MCUSIM_DW_CHANNEL                          \
  "ldr r2, " MCUSIM_DW_ADDEND "\n"                                                         \
  "4: ldr r12, [r10, %[a]]\n ldr lr, [r10, %[b]]\n ldr r9, " MCUSIM_DW_BIAS "\n"           \
  ".p2align 3\n1:\n"                                                                       \
  "smlad r0, r12, r4, r9\n ldr r12, [r10, #%c[a]+8]\n"                                     \
  MCUSIM_DW_MAC("smlabt", "r0", "lr", "r7") "ldr lr, [r10, #%c[b]+8]\n"                    \
  MCUSIM_DW_MAC("smlad", "r0", "r12", "r5") "ldr r12, [r10, #%c[a]+16]\n"                  \
  MCUSIM_DW_MAC("smlabb", "r0", "lr", "r8") "ldr lr, [r10, #%c[b]+16]\n"                   \
  MCUSIM_DW_MAC("smlad", "r9", "r12", "r4") MCUSIM_DW_MAC("smlad", "r0", "r12", "r6")      \
  "ldr r12, [r10, #%c[a]+24]\n"                                                            \
  MCUSIM_DW_MAC("smlabt", "r0", "lr", "r8") MCUSIM_DW_MAC("smlabt", "r9", "lr", "r7")      \
  "ldr lr, [r10, #%c[b]+24]\n" finish##_SCALE                                              \
  MCUSIM_DW_MAC("smlad", "r9", "r12", "r5") "ldr r12, [r10, #%c[a]+32]\n" finish##_ROUND   \
  MCUSIM_DW_MAC("smlabb", "r9", "lr", "r8") "ldr lr, [r10, #%c[b]+32]\n" finish##_SHIFT    \
  MCUSIM_DW_MAC("smlad", "r9", "r12", "r6") finish##_CLAMP                                 \
  MCUSIM_DW_MAC("smlabt", "r9", "lr", "r8") "add r10, r10, #32\n" finish##_END             \
  "ldr r9, " MCUSIM_DW_BIAS "\n add r11, r11, r0, lsl #1\n"                                \
  "ldr r0, " MCUSIM_DW_END "\n cmp r10, r0\n bne 1b\n" MCUSIM_DW_NEXT("16", "32")

// One tap column of 5x5 for two output columns: the second one's activations and the
// next tap's weights are loaded behind the last use of their registers; column j + 1
// stays loaded as the next tap's column. P, R, S, V in r4-r7, weights at r8, D in r9.
#define MCUSIM_DW_TAP5(op, column, words)                                                  \
  op("smlad", "r0", "r12", "r4") op("smlatb", "r1", "r12", "r4")                           \
  "ldr r12, [r10, #%c[a]+" column "]\n"                                                    \
  MCUSIM_DW_MAC("smlad", "r0", "lr", "r5") MCUSIM_DW_MAC("smlad", "r1", "lr", "r6")        \
  "ldr lr, [r10, #%c[b]+" column "]\n"                                                     \
  MCUSIM_DW_MAC("smlabt", "r0", "r9", "r7") MCUSIM_DW_MAC("smlad", "r1", "r9", "r7")       \
  "ldr r9, [r10, #%c[d]+" column "]\n"                                                     \
  op("smlad", "r2", "r12", "r4") op("smlatb", "r3", "r12", "r4")                           \
  "ldr r4, [r8, #" words "]\n"                                                             \
  MCUSIM_DW_MAC("smlad", "r2", "lr", "r5") "ldr r5, [r8, #" words "+4]\n"                  \
  MCUSIM_DW_MAC("smlad", "r3", "lr", "r6") "ldr r6, [r8, #" words "+8]\n"                  \
  MCUSIM_DW_MAC("smlabt", "r2", "r9", "r7") MCUSIM_DW_MAC("smlad", "r3", "r9", "r7")       \
  "ldr r7, [r8, #" words "+12]\n"
#define MCUSIM_DW_5X5(finish)                                                              \
  MCUSIM_DW_ENTER                                                                          \
  "2: ldr lr, [sp, #36]\n ldmia lr, {r0-r7}\n add r8, lr, #16\n add lr, lr, #96\n"         \
  MCUSIM_DW_CHANNEL ".p2align 3\n4: 1:\n"                                                  \
  "ldr r12, [r10, %[a]]\n ldr r3, " MCUSIM_DW_BIAS "\n"                                    \
  "ldr lr, [r10, %[b]]\n ldr r9, [r10, %[d]]\n"                                            \
  MCUSIM_DW_TAP5(MCUSIM_DW_START, "12", "16") MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "24", "32")    \
  MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "36", "48") MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "48", "64")      \
  MCUSIM_DW_TAP5(MCUSIM_DW_MAC, "60", "0")                                                 \
  "ldr r12, " MCUSIM_DW_MULT "\n ldr lr, " MCUSIM_DW_ADDEND "\n add r10, r10, #24\n"       \
  finish("ldr r12, [r10, %[a]]\n") "cmp r10, r0\n bne 1b\n" MCUSIM_DW_NEXT("12", "24")

// The finishes of a loop, one asm statement each.
#define MCUSIM_DW_BODY(loop, size, ...)                                                      \
  if constexpr (kFinish == Finish::icn)                                                      \
    asm volatile(loop(MCUSIM_DW_ICN##size)::__VA_ARGS__);                                    \
  if constexpr (kFinish == Finish::rounded)                                                  \
    asm volatile(loop(MCUSIM_DW_ROUNDED##size)::__VA_ARGS__);                                \
  if constexpr (kFinish == Finish::tflite)                                                   \
    asm volatile(loop(MCUSIM_DW_TFLITE##size)::__VA_ARGS__);                                 \
  if constexpr (kFinish == Finish::sums)                                                     \
    asm volatile(loop(MCUSIM_DW_SUMS##size)::__VA_ARGS__)

template <Finish kFinish, int kBits, int kOldest>
[[gnu::naked, gnu::noinline]] void pass_3x3_stride1(const PlanePass&) {
  MCUSIM_DW_BODY(MCUSIM_DW_3X3, 4,
                 [a] "i"(kOldest * 4), [b] "i"(4 - kOldest * 4), [bits] "i"(kBits));
}

template <Finish kFinish, int kBits, int kOldest>
[[gnu::naked, gnu::noinline]] void pass_3x3_stride2(const PlanePass&) {
  MCUSIM_DW_BODY(MCUSIM_DW_3X3_S2, 2,
                 [a] "i"(kOldest * 4), [b] "i"(4 - kOldest * 4), [bits] "i"(kBits));
}

template <Finish kFinish, int kBits, int kOldest>
[[gnu::naked, gnu::noinline]] void pass_5x5_stride1(const PlanePass&) {
  MCUSIM_DW_BODY(MCUSIM_DW_5X5, 4,
                 [a] "i"(kOldest * 4), [b] "i"((kOldest + 1) % 3 * 4),
                 [d] "i"((kOldest + 2) % 3 * 4), [bits] "i"(kBits));
}

#undef MCUSIM_DW_BODY
#undef MCUSIM_DW_5X5
#undef MCUSIM_DW_TAP5
#undef MCUSIM_DW_3X3_S2
#undef MCUSIM_DW_3X3
#undef MCUSIM_DW_SUMS2_END
#undef MCUSIM_DW_SUMS2_CLAMP
#undef MCUSIM_DW_SUMS2_SHIFT
#undef MCUSIM_DW_SUMS2_ROUND
#undef MCUSIM_DW_SUMS2_SCALE
#undef MCUSIM_DW_TFLITE2_END
#undef MCUSIM_DW_TFLITE2_CLAMP
#undef MCUSIM_DW_TFLITE2_SHIFT
#undef MCUSIM_DW_TFLITE2_ROUND
#undef MCUSIM_DW_TFLITE2_SCALE
#undef MCUSIM_DW_ROUNDED2_END
#undef MCUSIM_DW_ROUNDED2_CLAMP
#undef MCUSIM_DW_ROUNDED2_SHIFT
#undef MCUSIM_DW_ROUNDED2_ROUND
#undef MCUSIM_DW_ROUNDED2_SCALE
#undef MCUSIM_DW_ICN2_END
#undef MCUSIM_DW_ICN2_CLAMP
#undef MCUSIM_DW_ICN2_SHIFT
#undef MCUSIM_DW_ICN2_ROUND
#undef MCUSIM_DW_ICN2_SCALE
#undef MCUSIM_DW_STORE2
#undef MCUSIM_DW_SUMS4
#undef MCUSIM_DW_TFLITE4
#undef MCUSIM_DW_ROUNDED4
#undef MCUSIM_DW_ICN4
#undef MCUSIM_DW_SCALED4
#undef MCUSIM_DW_STORE4
#undef MCUSIM_DW_START
#undef MCUSIM_DW_MAC
#undef MCUSIM_DW_NEXT
#undef MCUSIM_DW_CHANNEL
#undef MCUSIM_DW_LEAVE
#undef MCUSIM_DW_ENTER
#undef MCUSIM_DW_COLUMN
#undef MCUSIM_DW_ROW
#undef MCUSIM_DW_DUE
#undef MCUSIM_DW_END
#undef MCUSIM_DW_SHIFT
#undef MCUSIM_DW_ADDEND
#undef MCUSIM_DW_MULT
#undef MCUSIM_DW_BIAS

}  // namespace mcusim::ops
