// SPDX-License-Identifier: MIT
// Packed-lane cores: two channels by four pixels, four products per SMLAD.
//
// A lane holds c0 + 2^d * c1 with 2^d above any sum of channel 0 over eight steps,
// so t = S0 + 2^d * S1 splits exactly: S1 = t asr d. Every eight steps t is flushed
// into mix (modulo 2^32) and S1; at the end S0 = mix - (S1 << d). The rotated masks
// tile a weight word without a gap: `and u, mask, w ror r` unpacks four weights.
// a8w2: d = 14, 2*8*255*3 < 2^14; w4: d = 12, 2*8*15*15 < 2^12; a4w2 (and a2w2 of
// fully connected): d = 12. Freestanding.
#pragma once

#include "kernels/ops/cores/split.h"

namespace mcusim::matmul {

inline constexpr uint32_t kFlushSteps = 8;

template <const Form& kForm>
inline constexpr uint32_t kPackedMask =
    ((1u << kForm.weight_bits) - 1) * 0x00010001u * (1u | 1u << kForm.field_bits);

template <const Form& kForm>
inline uint32_t packed_lane(uint32_t word, uint32_t step) {
  return kPackedMask<kForm> & simd::ror(word, kForm.rotations[step % kForm.steps_per_word]);
}

struct PackedSums {
  uint32_t mix, odd;
};

template <const Form& kForm>
inline void packed_plain(PackedSums (&s)[4], const Word* weights, const Word* lanes,
                         uint32_t steps) {
  for (uint32_t k = 0; k < steps; k += kFlushSteps) {
    uint32_t t[4] = {0, 0, 0, 0};
    for (uint32_t i = k; i < k + kFlushSteps; ++i) {
      const uint32_t u = packed_lane<kForm>(weights[i / kForm.steps_per_word], i);
      for (int p = 0; p < 4; ++p) t[p] = simd::smlad(lanes[4 * i + p], u, t[p]);
    }
    for (int p = 0; p < 4; ++p) {
      s[p].mix += t[p];
      s[p].odd += static_cast<uint32_t>(simd::asr(t[p], kForm.field_bits));
    }
  }
}

#if defined(MCUSIM_ASM_CORES)
#include "kernels/ops/cores/packed_asm.inc"
#endif

// c0[p] += sum of channel 0; c1[p] = sum of channel 1. Reads four lane words and
// one weight word past the end.
template <const Form& kForm>
struct Packed {
  static constexpr const Form& form = kForm;

  [[gnu::always_inline]] static void run(const Word* weights, const Word* lanes, const Walk& walk,
                                         uint32_t (&c0)[4], uint32_t (&c1)[4]) {
    alignas(8) PackedSums s[4];
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) s[p] = {c0[p], 0};
#if defined(MCUSIM_ASM_CORES)
    packed_asm<kForm>(s, weights, lanes, walk.steps);
#else
    packed_plain<kForm>(s, weights, lanes, walk.steps);
#endif
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      c1[p] = s[p].odd;
      c0[p] = s[p].mix - (s[p].odd << kForm.field_bits);
    }
  }
};

}  // namespace mcusim::matmul
