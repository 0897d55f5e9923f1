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

#if defined(__arm__)
#define MCUSIM_ASM_CORES 1
#endif

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

// The loop bodies are unrolled eight steps deep and entered in the middle, so that
// K costs what it is: `jump` is the code bytes to skip, and `lanes` starts that many
// steps early. Every instruction is 32 bits wide for this reason. Loads stand at
// least one MAC before their use and pair with one; `x` and `w` are loaded ahead.
#define MCUSIM_SPLIT8_STEP                                                    \
  "uxtb16 %[u], %[w]\n smlad %[m0], %[x], %[w], %[m0]\n"                      \
  "ldr.w %[b], [%[a], #i+4]\n smlad %[l0], %[x], %[u], %[l0]\n"               \
  "ldr.w %[x], [%[a], #i+8]\n smlad %[m1], %[b], %[w], %[m1]\n"               \
  "smlad %[l1], %[b], %[u], %[l1]\n"                                          \
  "ldr.w %[b], [%[a], #i+12]\n smlad %[m2], %[x], %[w], %[m2]\n"              \
  "smlad %[l2], %[x], %[u], %[l2]\n"                                          \
  "ldr.w %[x], [%[a], #i+16]\n smlad %[m3], %[b], %[w], %[m3]\n"              \
  "ldr.w %[w], [%[k]], #4\n smlad %[l3], %[b], %[u], %[l3]\n .set i, i+16\n"
inline constexpr uint32_t kSplit8Step_bytes = 14 * 4;

#define MCUSIM_SPLIT4_TWO_STEPS                                               \
  "uxtb16 %[u], %[w]\n"                                                       \
  "ldr.w %[b], [%[a], #i+4]\n smlad %[m0], %[x], %[u], %[m0]\n"               \
  "smlad %[m1], %[b], %[u], %[m1]\n and %[u], %[u], #0x000F000F\n"            \
  "smlad %[l0], %[x], %[u], %[l0]\n ldr.w %[x], [%[a], #i+8]\n"               \
  "smlad %[l1], %[b], %[u], %[l1]\n ldr.w %[b], [%[a], #i+12]\n"              \
  "smlad %[l2], %[x], %[u], %[l2]\n smlad %[l3], %[b], %[u], %[l3]\n"         \
  "uxtb16 %[u], %[w]\n smlad %[m2], %[x], %[u], %[m2]\n"                      \
  "ldr.w %[x], [%[a], #i+16]\n smlad %[m3], %[b], %[u], %[m3]\n"              \
  "uxtb16 %[u], %[w], ror #8\n"                                               \
  "ldr.w %[b], [%[a], #i+20]\n smlad %[m0], %[x], %[u], %[m0]\n"              \
  "and %[w], %[u], #0x000F000F\n smlad %[m1], %[b], %[u], %[m1]\n"            \
  "smlad %[l0], %[x], %[w], %[l0]\n ldr.w %[x], [%[a], #i+24]\n"              \
  "smlad %[l1], %[b], %[w], %[l1]\n ldr.w %[b], [%[a], #i+28]\n"              \
  "smlad %[l2], %[x], %[w], %[l2]\n smlad %[l3], %[b], %[w], %[l3]\n"         \
  "ldr.w %[w], [%[k]], #4\n smlad %[m2], %[x], %[u], %[m2]\n"                 \
  "ldr.w %[x], [%[a], #i+32]\n smlad %[m3], %[b], %[u], %[m3]\n .set i, i+32\n"
inline constexpr uint32_t kSplit4TwoSteps_bytes = 30 * 4;

#define MCUSIM_SPLIT_LOOP(count, body)                                        \
  asm volatile(                                                               \
      "adr.w %[b], 1f\n add %[b], %[b], %[u]\n mov pc, %[b]\n"                \
      ".p2align 3\n1:\n .set i, 0\n .rept " count "\n" body ".endr\n"         \
      "add %[a], %[a], #i\n ldr %[u], %[end]\n cmp %[a], %[u]\n bne 1b\n"     \
      : [m0] "+r"(m0), [m1] "+r"(m1), [m2] "+r"(m2), [m3] "+r"(m3),           \
        [l0] "+r"(l0), [l1] "+r"(l1), [l2] "+r"(l2), [l3] "+r"(l3),           \
        [k] "+r"(k), [a] "+r"(a), [w] "+r"(w), [x] "+r"(x), [u] "+r"(jump),   \
        [b] "=&r"(b)                                                          \
      : [end] "m"(end)                                                        \
      : "cc", "memory")

template <const Form& kForm>
[[gnu::always_inline]] inline void split_asm(const Word* k, const Word* a, const Walk& walk,
                                             uint32_t (&c0)[4], uint32_t (&c1)[4]) {
  constexpr int kShift = kForm.field_bits;
  uint32_t l0 = c0[0], l1 = c0[1], l2 = c0[2], l3 = c0[3];
  uint32_t x = *a, w = *k++, b;
  const uint32_t skip = (0u - walk.first) & 7;
  uint32_t jump = kForm.number == Number::split8 ? skip * kSplit8Step_bytes
                                                 : skip / 2 * kSplit4TwoSteps_bytes;
  const Word* end = a + 4 * walk.first;
  const Word* const last = a + 4 * walk.steps;
  a -= 4 * skip;
  for (;;) {
    uint32_t m0 = l0, m1 = l1, m2 = l2, m3 = l3;
    if constexpr (kForm.number == Number::split8)
      MCUSIM_SPLIT_LOOP("8", MCUSIM_SPLIT8_STEP);
    else
      MCUSIM_SPLIT_LOOP("4", MCUSIM_SPLIT4_TWO_STEPS);
    c1[0] += static_cast<uint32_t>(simd::asr(m0 - l0, kShift));
    c1[1] += static_cast<uint32_t>(simd::asr(m1 - l1, kShift));
    c1[2] += static_cast<uint32_t>(simd::asr(m2 - l2, kShift));
    c1[3] += static_cast<uint32_t>(simd::asr(m3 - l3, kShift));
    if (end == last) break;
    end += 4 * walk.chunk;
    jump = 0;
  }
  c0[0] = l0, c0[1] = l1, c0[2] = l2, c0[3] = l3;
}
#undef MCUSIM_SPLIT8_STEP
#undef MCUSIM_SPLIT4_TWO_STEPS
#undef MCUSIM_SPLIT_LOOP

#endif

// c0[p], c1[p] += sums of channels 0 and 1. Reads one weight word and
// one lane word past the end.
template <const Form& kForm>
struct Split {
  static constexpr const Form& form = kForm;

  [[gnu::always_inline]] static void run(const Word* weights, const Word* lanes, const Walk& walk,
                                         uint32_t (&c0)[4], uint32_t (&c1)[4]) {
#if defined(MCUSIM_ASM_CORES)
    split_asm<kForm>(weights, lanes, walk, c0, c1);
#else
    constexpr int kShift = kForm.field_bits;
    SplitSums s;
    for (int p = 0; p < 4; ++p) s.l[p] = c0[p];
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
