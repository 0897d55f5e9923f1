// SPDX-License-Identifier: MIT
// What the matrix cores share: two channels by four pixels, whose lane words lie
// interleaved by pixel, step by step (kernels/ops/matmul_layout.h).
//
// A core is one asm statement with its plain twin in the same header. The statement
// takes every register, so what else it needs lies in the frame. Freestanding.
#pragma once

#include "kernels/ops/matmul_layout.h"
#include "kernels/requant.h"
#include "kernels/simd.h"

#if defined(__arm__)
#define MCUSIM_ASM_CORES 1
// Bodies are repeated by the preprocessor, not by .rept: the compiler estimates the
// length of an asm statement by its lines, and places literals and branches by it.
#define MCUSIM_TWICE(body) body body
#define MCUSIM_THRICE(body) body body body
#define MCUSIM_FOUR_TIMES(body) MCUSIM_TWICE(body) MCUSIM_TWICE(body)
#define MCUSIM_EIGHT_TIMES(body) MCUSIM_FOUR_TIMES(body) MCUSIM_FOUR_TIMES(body)
#endif

namespace mcusim::matmul {

using simd::Word;

// Steps of a group. Behind its lane words lies its record: where its four pixels go,
// as byte offsets in the arena, and, where the form needs them, the sums of their
// activations. Missing pixels repeat the last.
struct Walk {
  uint32_t steps;
  uint32_t lane_words;   // 4 * steps
  uint32_t group_words;  // from group to group
  uint32_t short_steps;  // before the first flush of a packed core
};

// Sums of one group: channel 0 and channel 1 of four pixels.
struct Sums {
  uint32_t c0[4], c1[4];
};

}  // namespace mcusim::matmul
