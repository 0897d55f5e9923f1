// SPDX-License-Identifier: MIT
// The wide core: weights minus zero point as 16-bit lanes, two products per SMLAD.
//
// A channel pair's packed weights are widened once per block of pixels into scratch,
// one word per channel and step side by side: (c0 k0, c0 k1), (c1 k0, c1 k1). Sums
// start at the bias and need no correction by the activations. Widening costs less
// than a cycle per weight and is shared by all groups of the block; the loop then
// takes one cycle per SMLAD, all loads beside them. Freestanding.
#pragma once

#include "kernels/ops/cores/finish.h"

namespace mcusim::matmul {

using Widen = void (*)(const Word* from, uint32_t steps, const Channel (&ch)[2], Word* to);

// kWords words of the row.
template <const Form& kForm, int kWords>
[[gnu::always_inline]] inline void widen_words(const Word* from, uint32_t z0, uint32_t z1,
                                               Word* to) {
  using namespace simd;
  uint32_t w[kWords];
#pragma GCC unroll 4
  for (int i = 0; i < kWords; ++i) w[i] = from[i];
#pragma GCC unroll 4
  for (int i = 0; i < kWords; ++i) {
    if constexpr (kForm.number == Number::split8) {
      to[2 * i] = uxtab16(z0, w[i]);
      to[2 * i + 1] = sxtab16_ror8(z1, w[i]);
    } else {
      const uint32_t c0 = w[i] & 0x0F0F0F0Fu, c1 = w[i] >> 4 & 0x0F0F0F0Fu;
      to[4 * i] = uxtab16(z0, c0);
      to[4 * i + 1] = uxtab16(z1, c1);
      to[4 * i + 2] = uxtab16_ror8(z0, c0);
      to[4 * i + 3] = uxtab16_ror8(z1, c1);
    }
  }
}

// Widens the row of a channel pair; `steps` is even.
template <const Form& kForm>
[[gnu::noinline]] void widen(const Word* from, uint32_t steps, const Channel (&ch)[2], Word* to) {
  const uint32_t even = 0u - static_cast<uint32_t>(ch[0].zero_point);
  const uint32_t odd = 0u - static_cast<uint32_t>(ch[1].zero_point);
  const uint32_t z0 = simd::pkhbt(even, even), z1 = simd::pkhbt(odd, odd);
  constexpr int kTwo = 2 / kForm.steps_per_word;  // words of two steps
  if (steps & 2) {
    widen_words<kForm, kTwo>(from, z0, z1, to);
    from += kTwo, to += 4, steps -= 2;
  }
  for (; steps > 0; steps -= 4, from += 2 * kTwo, to += 8)
    widen_words<kForm, 2 * kTwo>(from, z0, z1, to);
}

// Takes a channel out of a widened row, whose sums are then its bias.
[[gnu::noinline]] inline void silence(Word* row, uint32_t steps, uint32_t odd) {
  for (uint32_t i = 0; i < steps; ++i) row[2 * i + odd] = 0;
}

inline void wide_plain(Sums& s, const Word* weights, const Word* lanes, uint32_t steps) {
  for (uint32_t k = 0; k < steps; ++k)
    for (int p = 0; p < 4; ++p) {
      s.c0[p] = simd::smlad(lanes[4 * k + p], weights[2 * k], s.c0[p]);
      s.c1[p] = simd::smlad(lanes[4 * k + p], weights[2 * k + 1], s.c1[p]);
    }
}

inline constexpr uint32_t kWideStep_bytes = 14 * 4, kWideStep3_bytes = 11 * 4;

// What the loop over a block is told, in the order it reads it.
struct WideJob {
  const Word* row_end;   // where the row's pointer stands behind the last step
  uintptr_t jump_bytes;  // code skipped in the first body
  uint32_t bias[2];
  int32_t mult0, add0, mult1, add1;
  uint32_t shift[2];
  uint8_t* to;           // the pair's byte in the pixel at arena offset 0
  const Word* row;
  const Word* lanes_end; // one word behind the last group
  const Word* lanes;
};

}  // namespace mcusim::matmul

#if defined(MCUSIM_ASM_CORES)
#include "kernels/ops/cores/wide_arm.h"
#endif

namespace mcusim::matmul {

// A core: `run` sums a group. Weights are a widened row.
struct Wide {
  static constexpr bool kWidens = true;

#if defined(MCUSIM_ASM_CORES)
  // The loop is unrolled `unroll` steps deep.
  static WideJob make_job(const Word* weights, const Walk& walk, const Channel (&ch)[2],
                          uint32_t unroll) {
    WideJob job{};
    job.row = weights;
    job.row_end = weights + 2 * walk.steps + kWideTail_words;
    job.jump_bytes = ((1u - walk.steps) & (unroll - 1)) * kWideStep_bytes;
    job.bias[0] = ch[0].bias, job.bias[1] = ch[1].bias;
    return job;
  }

  // A whole block under a fused scale; from `threes` on groups have three pixels.
  template <net::Contract kContract, int kOut>
  static void run_fused(const Word* weights, const Word* lanes, const Word* threes,
                        const Word* end, const Walk& walk, const Channel (&ch)[2],
                        const PairScale& scale, uint8_t* to) {
    WideJob job = make_job(weights, walk, ch, 8);
    job.mult0 = scale.mult[0], job.mult1 = scale.mult[1];
    job.add0 = scale.add[0], job.add1 = scale.add[1];
    job.shift[0] = scale.shift[0], job.shift[1] = scale.shift[1];
    job.to = to;
    const bool ties = kContract == net::Contract::tflite && scale.ties;
    if constexpr (kOut != 8) threes = end;  // a fourth pixel that repeats does no harm
    if (lanes != threes) {
      job.lanes = lanes, job.lanes_end = threes + 1;
      if (ties)
        wide_groups<kContract, kOut, kContract == net::Contract::tflite>(job);
      else
        wide_groups<kContract, kOut, false>(job);
    }
    if (kOut == 8 && threes != end) {
      job.jump_bytes = job.jump_bytes / kWideStep_bytes * kWideStep3_bytes;
      job.lanes = threes, job.lanes_end = end + 1;
      if (ties)
        wide_threes<kContract, kContract == net::Contract::tflite>(job);
      else
        wide_threes<kContract, false>(job);
    }
  }
#endif

  static void run(Sums& s, const Word* weights, const Word* lanes, const Walk& walk,
                  const Channel (&ch)[2]) {
#if defined(MCUSIM_ASM_CORES)
    WideJob job = make_job(weights, walk, ch, 2);
    job.to = reinterpret_cast<uint8_t*>(&s);
    job.lanes = lanes, job.lanes_end = lanes + walk.group_words + 1;
    wide_sums(job);
#else
    for (int p = 0; p < 4; ++p) s.c0[p] = ch[0].bias, s.c1[p] = ch[1].bias;
    wide_plain(s, weights, lanes, walk.steps);
#endif
  }
};

}  // namespace mcusim::matmul
