// SPDX-License-Identifier: MIT
// The number forms with the roles turned for one pixel (fully connected): eight
// channels, as four channel pairs whose words lie side by side, share each lane word.
//
// split8, split4: a lane holds c0 + 2^w * c1, so SMLAD on it sums both channels at
// once (m) and one more on the low part sums c0 alone (l); at the end
// S1 = (m - l) >> w, exact while S1 fits what is left of 32 bits, hence chunks. m and
// l start equal, so l carries the running sum of channel 0 from chunk to chunk.
// The packed forms are those of packed.h. Freestanding.
#pragma once

#include "kernels/ops/cores/packed.h"

namespace mcusim::matmul {

// How a core walks K: `first` steps, then whole chunks up to `steps`.
struct VectorWalk {
  uint32_t steps, first, chunk;
  const Word* lanes;
};

// Sums m and l of a chunk, four channel pairs.
struct SplitSums {
  uint32_t m[4], l[4];
};

// Sums m and l of four channel pairs over `steps` steps.
template <const Form& kForm>
[[gnu::always_inline]] inline void split_vector_plain(SplitSums& s, const Word* weights,
                                                      const Word* lanes, uint32_t steps) {
  constexpr uint32_t kSteps = kForm.steps_per_word;
  for (uint32_t k = 0; k < steps; k += kSteps, weights += 4) {
#pragma GCC unroll 2
    for (uint32_t j = 0; j < kSteps; ++j) {
      const uint32_t a = *lanes++;
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) {
        const uint32_t w = weights[p];
        if constexpr (kForm.number == Number::split8) {
          s.m[p] = simd::smlad(a, w, s.m[p]);
          s.l[p] = simd::smlad(a, simd::uxtb16(w), s.l[p]);
        } else {
          const uint32_t u = j ? simd::uxtb16_ror8(w) : simd::uxtb16(w);
          s.m[p] = simd::smlad(a, u, s.m[p]);
          s.l[p] = simd::smlad(a, u & 0x000F000Fu, s.l[p]);
        }
      }
    }
  }
}

template <const Form& kForm>
[[gnu::always_inline]] inline void packed_vector_plain(PackedSums (&s)[4], const Word* weights,
                                                       const Word* lanes, uint32_t steps) {
  constexpr uint32_t kSteps = kForm.steps_per_word;
  for (uint32_t k = 0; k < steps; k += kBodySteps) {
    uint32_t t[4] = {0, 0, 0, 0};
#pragma GCC unroll 1
    for (uint32_t i = 0; i < kBodySteps; i += kSteps, weights += 4) {
#pragma GCC unroll 4
      for (uint32_t j = 0; j < kSteps; ++j) {
        const uint32_t a = *lanes++;
#pragma GCC unroll 4
        for (int p = 0; p < 4; ++p)
          t[p] = simd::smlad(a, packed_lane<kForm>(weights[p], j), t[p]);
      }
    }
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      s[p].mix += t[p];
      s[p].odd += static_cast<uint32_t>(simd::asr(t[p], kForm.field_bits));
    }
  }
}

#if defined(MCUSIM_ASM_CORES)

// Weight words come as aligned pairs (LDRD); the loop is entered in the middle.
inline void split8_vector_asm(SplitSums& s, const Word* k, const Word* a, uint32_t steps) {
  uint32_t m0 = s.m[0], m1 = s.m[1], m2 = s.m[2], m3 = s.m[3];
  uint32_t l0 = s.l[0], l1 = s.l[1], l2 = s.l[2], l3 = s.l[3];
  uint32_t w, v, u;
  uint32_t x = ((0u - steps) & 7) * (15 * 4);   // code bytes to skip
  const Word* end = a + steps;
  asm volatile(
      "adr.w %[u], 1f\n add %[u], %[u], %[x]\n mov pc, %[u]\n"
      ".p2align 3\n1:\n" MCUSIM_EIGHT_TIMES(
      "ldrd %[w], %[v], [%[k]], #16\n ldr.w %[x], [%[a]], #4\n"
      "uxtb16 %[u], %[w]\n smlad %[m0], %[x], %[w], %[m0]\n"
      "smlad %[m1], %[x], %[v], %[m1]\n smlad %[l0], %[x], %[u], %[l0]\n"
      "uxtb16 %[u], %[v]\n ldrd %[w], %[v], [%[k], #-8]\n"
      "smlad %[l1], %[x], %[u], %[l1]\n uxtb16 %[u], %[w]\n"
      "smlad %[m2], %[x], %[w], %[m2]\n smlad %[m3], %[x], %[v], %[m3]\n"
      "smlad %[l2], %[x], %[u], %[l2]\n uxtb16 %[u], %[v]\n"
      "smlad %[l3], %[x], %[u], %[l3]\n")
      "ldr %[u], %[end]\n cmp %[a], %[u]\n bne 1b\n"
      : [m0] "+r"(m0), [m1] "+r"(m1), [m2] "+r"(m2), [m3] "+r"(m3), [l0] "+r"(l0),
        [l1] "+r"(l1), [l2] "+r"(l2), [l3] "+r"(l3), [k] "+r"(k), [a] "+r"(a), [x] "+r"(x),
        [w] "=&r"(w), [v] "=&r"(v), [u] "=&r"(u)
      : [end] "m"(end)
      : "cc", "memory");
  s = {{m0, m1, m2, m3}, {l0, l1, l2, l3}};
}

#endif

// c0[p], c1[p] += sums of the first and second channel of pair p.
template <const Form& kForm>
[[gnu::always_inline]] inline void run_vector(const Word* weights, const VectorWalk& walk,
                                              uint32_t (&c0)[4], uint32_t (&c1)[4]) {
  const Word* const lanes = walk.lanes;
  constexpr int kShift = kForm.field_bits;
  if constexpr (kForm.number == Number::split8 || kForm.number == Number::split4) {
    SplitSums s;
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) s.l[p] = c0[p];
    for (uint32_t done = 0, steps = walk.first; done < walk.steps; steps = walk.chunk) {
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) s.m[p] = s.l[p];
      const Word* w = weights + 4 * (done / kForm.steps_per_word);
#if defined(MCUSIM_ASM_CORES)
      if constexpr (kForm.number == Number::split8)
        split8_vector_asm(s, w, lanes + done, steps);
      else
#endif
        split_vector_plain<kForm>(s, w, lanes + done, steps);
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p)
        c1[p] += static_cast<uint32_t>(simd::asr(s.m[p] - s.l[p], kShift));
      done += steps;
    }
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) c0[p] = s.l[p];
  } else {
    PackedSums s[4];
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) s[p] = {c0[p], 0};
    packed_vector_plain<kForm>(s, weights, lanes, walk.steps);
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      c1[p] += s[p].odd;
      c0[p] = s[p].mix - (s[p].odd << kShift);
    }
  }
}

}  // namespace mcusim::matmul
