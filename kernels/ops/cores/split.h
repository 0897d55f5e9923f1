// SPDX-License-Identifier: MIT
// Split-accumulator cores: two channels by four pixels, any activation width.
//
// A lane holds c0 + 2^w * c1, so SMLAD on it sums both channels at once (m) and one
// more on the low part sums c0 alone (l); at the end S1 = (m - l) >> w, exact while
// S1 fits what is left of 32 bits, hence chunks. m and l start equal, so l carries
// the running sum of channel 0 from chunk to chunk for nothing.
//   split8: weight word = step: bytes c0k0 c1k0 c0k1 c1k1, c1 stored minus 128.
//   split4: weight word = two steps: bytes (c0 | c1 << 4) of k0, k2, k1, k3.
// Freestanding.
#pragma once

#include "kernels/ops/matmul_layout.h"
#include "kernels/simd.h"

namespace mcusim::matmul {

using simd::Word;

// How a core walks K: `first` steps, then whole chunks up to `steps`.
struct Walk {
  uint32_t steps, first, chunk;
};

// Sums m and l of a chunk, four pixels each.
struct SplitSums {
  uint32_t m[4], l[4];
};

inline void split8_plain(SplitSums& s, const Word* weights, const Word* lanes, uint32_t steps) {
  for (uint32_t k = 0; k < steps; ++k) {
    const uint32_t w = weights[k], u = simd::uxtb16(w);
    for (int p = 0; p < 4; ++p) {
      s.m[p] = simd::smlad(lanes[4 * k + p], w, s.m[p]);
      s.l[p] = simd::smlad(lanes[4 * k + p], u, s.l[p]);
    }
  }
}

inline void split4_plain(SplitSums& s, const Word* weights, const Word* lanes, uint32_t steps) {
  for (uint32_t k = 0; k < steps; ++k) {
    const uint32_t w = weights[k / 2];
    const uint32_t u = k % 2 ? simd::uxtb16_ror8(w) : simd::uxtb16(w), v = u & 0x000F000Fu;
    for (int p = 0; p < 4; ++p) {
      s.m[p] = simd::smlad(lanes[4 * k + p], u, s.m[p]);
      s.l[p] = simd::smlad(lanes[4 * k + p], v, s.l[p]);
    }
  }
}

#if defined(MCUSIM_ASM_CORES)
#include "kernels/ops/cores/split_asm.inc"
#endif

// c0[p] += sum of channel 0; c1[p] = sum of channel 1. Reads one weight word and
// one lane word past the end.
template <const Form& kForm>
struct Split {
  static constexpr const Form& form = kForm;

  [[gnu::always_inline]] static void run(const Word* weights, const Word* lanes, const Walk& walk,
                                         uint32_t (&c0)[4], uint32_t (&c1)[4]) {
    constexpr int kShift = kForm.field_bits;
#if defined(MCUSIM_ASM_CORES)
    split_asm<kForm.number>(weights, lanes, walk, c0, c1);
#else
    SplitSums s;
    for (int p = 0; p < 4; ++p) s.l[p] = c0[p], c1[p] = 0;
    for (uint32_t done = 0, steps = walk.first; done < walk.steps; steps = walk.chunk) {
      for (int p = 0; p < 4; ++p) s.m[p] = s.l[p];
      const Word* w = weights + done / kForm.steps_per_word;
      if constexpr (kForm.number == Number::split8)
        split8_plain(s, w, lanes + 4 * done, steps);
      else
        split4_plain(s, w, lanes + 4 * done, steps);
      for (int p = 0; p < 4; ++p) c1[p] += static_cast<uint32_t>(simd::asr(s.m[p] - s.l[p], kShift));
      done += steps;
    }
    for (int p = 0; p < 4; ++p) c0[p] = s.l[p];
#endif
  }
};

}  // namespace mcusim::matmul
