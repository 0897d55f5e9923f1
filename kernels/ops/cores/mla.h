// SPDX-License-Identifier: MIT
// The a2w2 core: four products per MLA, one channel by four pixels.
//
// The product of bytes (a0, a1, a2, a3) and the reversed (w3, w2, w1, w0) as 32-bit
// numbers has the dot product in its top byte; four of them added stay below 256
// (4 * 4 * 9) and the lower bytes never carry into it, so t >> 24 is exact after
// each weight word (sixteen weights of one channel). Freestanding.
#pragma once

#include "kernels/ops/cores/split.h"

namespace mcusim::matmul {

inline void mla_plain(uint32_t (&s)[4], const Word* weights, const Word* lanes, uint32_t steps) {
  for (uint32_t k = 0; k < steps; k += 4) {
    const uint32_t w = weights[k / 4];
    for (int p = 0; p < 4; ++p) {
      uint32_t t = 0;
      for (int j = 0; j < 4; ++j) t += lanes[4 * k + 4 * p + j] * (w >> (2 * j) & 0x03030303u);
      s[p] += t >> 24;
    }
  }
}

#if defined(MCUSIM_ASM_CORES)
#include "kernels/ops/cores/mla_asm.inc"
#endif

// c0[p] += sum of the first channel; c1[p] = sum of the second, whose weights are
// the next row.
struct Mla {
  static constexpr const Form& form = kMlaA2W2;

  [[gnu::always_inline]] static void run(const Word* weights, const Word* lanes, const Walk& walk,
                                         uint32_t (&c0)[4], uint32_t (&c1)[4]) {
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) c1[p] = 0;
#if defined(MCUSIM_ASM_CORES)
    mla_asm(c0, weights, lanes, walk.steps);
    mla_asm(c1, weights + walk.steps / 4, lanes, walk.steps);
#else
    mla_plain(c0, weights, lanes, walk.steps);
    mla_plain(c1, weights + walk.steps / 4, lanes, walk.steps);
#endif
  }
};

}  // namespace mcusim::matmul
