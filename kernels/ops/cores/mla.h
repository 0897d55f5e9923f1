// SPDX-License-Identifier: MIT
// The a2w2 core: four products per MLA, one channel by four pixels.
//
// The product of bytes (a0, a1, a2, a3) and the reversed (w3, w2, w1, w0) as 32-bit
// numbers has the dot product in its top byte; four of them added stay below 256
// (4 * 4 * 9) and the lower bytes never carry into it, so t >> 24 is exact after
// each weight word (sixteen weights of one channel). Freestanding.
#pragma once

#include "kernels/ops/cores/core.h"

namespace mcusim::matmul {

inline constexpr uint32_t kMlaMask = 0x03030303u;

inline void mla_plain(uint32_t (&s)[4], const Word* weights, const Word* lanes, uint32_t steps) {
  for (uint32_t k = 0; k < steps; k += 4) {
    const uint32_t w = weights[k / 4];
    for (int p = 0; p < 4; ++p) {
      uint32_t t = 0;
      for (int j = 0; j < 4; ++j) t += lanes[4 * k + 4 * p + j] * (w >> (2 * j) & kMlaMask);
      s[p] += t >> 24;
    }
  }
}

#if defined(MCUSIM_ASM_CORES)

// A load stands two cycles before its use, right behind the MLA that freed the
// register; two temporaries take turns, so that the shift of a pixel's sum waits
// behind the next pixel's products. The first two lane words of a block are loaded
// ahead; the mask lives in memory.
#define MCUSIM_MLA_PIXEL(t, last_sum)                                         \
  "mul %[" #t "], %[a0], %[u0]\n ldr %[a0], [%[a], #i+8]\n"                   \
  "mla %[" #t "], %[a1], %[u1], %[" #t "]\n ldr %[a1], [%[a], #i+12]\n"       \
  last_sum                                                                    \
  "mla %[" #t "], %[a0], %[u2], %[" #t "]\n ldr %[a0], [%[a], #i+16]\n"       \
  "mla %[" #t "], %[a1], %[u3], %[" #t "]\n ldr %[a1], [%[a], #i+20]\n"       \
  ".set i, i+16\n"
#define MCUSIM_MLA_SUM(s, t) "add %[" #s "], %[" #s "], %[" #t "], lsr #24\n"

[[gnu::always_inline]] inline void mla_asm(uint32_t (&s)[4], const Word* weights,
                                           const Word* lanes, const Walk& walk) {
  uint32_t s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3];
  uint32_t t0, t1, u0, u1, u2, u3, a0, a1;
  const Word *k = weights, *a = lanes;
  const Word* const volatile end = lanes + walk.lane_words;
  const volatile uint32_t mask = kMlaMask;
  asm volatile(
      "ldr %[a0], [%[a]]\n ldr %[a1], [%[a], #4]\n"
      ".p2align 3\n1:\n .set i, 0\n"
      MCUSIM_TWICE(
      "ldr %[u3], [%[k]], #4\n ldr %[t0], %[mask]\n"
      "and %[u0], %[t0], %[u3]\n and %[u1], %[t0], %[u3], lsr #2\n"
      "and %[u2], %[t0], %[u3], lsr #4\n and %[u3], %[t0], %[u3], lsr #6\n"
      MCUSIM_MLA_PIXEL(t0, "")
      MCUSIM_MLA_PIXEL(t1, MCUSIM_MLA_SUM(s0, t0))
      MCUSIM_MLA_PIXEL(t0, MCUSIM_MLA_SUM(s1, t1))
      MCUSIM_MLA_PIXEL(t1, MCUSIM_MLA_SUM(s2, t0))
      MCUSIM_MLA_SUM(s3, t1))
      "add %[a], %[a], #i\n ldr %[t0], %[end]\n cmp %[a], %[t0]\n bne 1b\n"
      : [k] "+r"(k), [a] "+r"(a), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3),
        [t0] "=&r"(t0), [t1] "=&r"(t1), [u0] "=&r"(u0), [u1] "=&r"(u1), [u2] "=&r"(u2),
        [u3] "=&r"(u3), [a0] "=&r"(a0), [a1] "=&r"(a1)
      : [end] "m"(end), [mask] "m"(mask)
      : "cc", "memory");
  s[0] = s0, s[1] = s1, s[2] = s2, s[3] = s3;
}
#undef MCUSIM_MLA_PIXEL
#undef MCUSIM_MLA_SUM

#endif

// As Packed; the second channel's weights are the next row.
struct Mla {
  static constexpr const Form& form = kMlaA2W2;

  static const Word* row(const Word* weights, const Walk&, const Channel (&)[2], Word*) {
    return weights;
  }

  [[gnu::always_inline]] static void run(Sums& sums, const Word* weights, const Word* lanes,
                                         const Walk& walk, const Channel (&ch)[2]) {
    const Word* const activations = lanes + walk.lane_words + 4;
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) sums.c0[p] = ch[0].start(activations[p]);
    one_row(sums.c0, weights, lanes, walk);
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) sums.c1[p] = ch[1].start(activations[p]);
    one_row(sums.c1, weights + walk.steps / 4, lanes, walk);
  }

 private:
  [[gnu::always_inline]] static void one_row(uint32_t (&s)[4], const Word* weights,
                                             const Word* lanes, const Walk& walk) {
#if defined(MCUSIM_ASM_CORES)
    mla_asm(s, weights, lanes, walk);
#else
    mla_plain(s, weights, lanes, walk.steps);
#endif
  }
};

}  // namespace mcusim::matmul
