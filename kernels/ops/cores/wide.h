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

// Widens the row of a channel pair; `steps` is even.
template <const Form& kForm>
[[gnu::noinline]] void widen(const Word* from, uint32_t steps, const Channel (&ch)[2], Word* to) {
  using namespace simd;
  const uint32_t even = 0u - static_cast<uint32_t>(ch[0].zero_point);
  const uint32_t odd = 0u - static_cast<uint32_t>(ch[1].zero_point);
  const uint32_t z0 = pkhbt(even, even), z1 = pkhbt(odd, odd);
  for (; steps > 0; steps -= 2, to += 4) {
    if constexpr (kForm.number == Number::split8) {
      const uint32_t w = from[0], v = from[1];
      from += 2;
      to[0] = uxtab16(z0, w);
      to[1] = sxtab16_ror8(z1, w);
      to[2] = uxtab16(z0, v);
      to[3] = sxtab16_ror8(z1, v);
    } else {
      constexpr uint32_t kMask = 0x000F000Fu;
      const uint32_t w = *from++;
      to[0] = uxtab16(z0, w & kMask);
      to[1] = uxtab16(z1, w >> 4 & kMask);
      to[2] = uxtab16(z0, w >> 8 & kMask);
      to[3] = uxtab16(z1, w >> 12 & kMask);
    }
  }
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

inline constexpr uint32_t kWideStep_bytes = 14 * 4;

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

// A core: `row` makes the weights of a channel pair ready, `run` sums a group.
template <const Form& kForm>
struct Wide {
  static constexpr const Form& form = kForm;

  [[gnu::always_inline]] static const Word* row(const Word* weights, const Walk& walk,
                                                const Channel (&ch)[2], Word* wide) {
    widen<kForm>(weights, walk.steps, ch, wide);
    return wide;
  }

#if defined(MCUSIM_ASM_CORES)
  static WideJob make_job(const Word* weights, const Walk& walk, const Channel (&ch)[2]) {
    const uint32_t skip = (1u - walk.steps) & 7;
    WideJob job{};
    job.row = weights;
    job.row_end = weights + 2 * walk.steps + kWideTail_words;
    job.jump_bytes = skip * kWideStep_bytes;
    job.bias[0] = ch[0].bias, job.bias[1] = ch[1].bias;
    return job;
  }

  // A whole block under a fused scale.
  template <net::Contract kContract, int kOut>
  static void run_fused(const Word* weights, const Word* lanes, const Word* end, const Walk& walk,
                        const Channel (&ch)[2], const PairScale& scale, uint8_t* to) {
    WideJob job = make_job(weights, walk, ch);
    job.mult0 = scale.mult[0], job.mult1 = scale.mult[1];
    job.add0 = scale.add[0], job.add1 = scale.add[1];
    job.shift[0] = scale.shift[0], job.shift[1] = scale.shift[1];
    job.to = to;
    job.lanes = lanes, job.lanes_end = end + 1;
    if (kContract == net::Contract::tflite && scale.ties)
      wide_groups<kContract, kOut, true>(job);
    else
      wide_groups<kContract, kOut, false>(job);
  }
#endif

  static void run(Sums& s, const Word* weights, const Word* lanes, const Walk& walk,
                  const Channel (&ch)[2]) {
#if defined(MCUSIM_ASM_CORES)
    WideJob job = make_job(weights, walk, ch);
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
