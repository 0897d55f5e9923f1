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
// Bodies are repeated by the preprocessor, not by .rept: the compiler estimates the
// length of an asm statement by its lines, and places literals and branches by it.
#define MCUSIM_TWICE(body) body body
#define MCUSIM_THRICE(body) body body body
#define MCUSIM_FOUR_TIMES(body) MCUSIM_TWICE(body) MCUSIM_TWICE(body)
#define MCUSIM_EIGHT_TIMES(body) MCUSIM_FOUR_TIMES(body) MCUSIM_FOUR_TIMES(body)
#endif

namespace mcusim::matmul {

using simd::Word;

// How a core walks K: `first` steps, then whole chunks up to `steps`. Built once per
// layer, with what the asm loops need to be entered in the middle.
struct Walk {
  uint32_t steps, first, chunk, chunk_bytes;
  const Word* lanes;       // of the expanded group
  const Word* early;       // lanes, minus the steps that the first body skips
  const Word* first_end;
  const Word* end;
  uint32_t jump_bytes;     // code skipped in the first body
};

// Frame memory of a core across the channels of a group, as its asm statement has no
// register over for an address: where the chunk and the row end, and the running
// sums of channel 1. Volatile, since the statement also has too few operands to name
// each word as an output.
struct Spill {
  uint32_t lanes[2];  // the first lane words
  const Word* volatile end;
  const Word* volatile last;
  volatile uint32_t chunk_bytes;
  volatile uint32_t mask;      // of the MLA core
  volatile uint32_t odd[4];
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
// steps early. Every instruction is 32 bits wide for this reason. Every load pairs
// with a MAC and stands two cycles before its use; the first two lane words of a
// step are loaded ahead, and so is the weight word.
#define MCUSIM_SPLIT8_STEP                                                    \
  "uxtb16 %[u], %[w]\n smlad %[m0], %[x], %[w], %[m0]\n"                      \
  "smlad %[l0], %[x], %[u], %[l0]\n ldr.w %[x], [%[a], #i+8]\n"               \
  "smlad %[m1], %[b], %[w], %[m1]\n"                                          \
  "smlad %[l1], %[b], %[u], %[l1]\n ldr.w %[b], [%[a], #i+12]\n"              \
  "smlad %[m2], %[x], %[w], %[m2]\n"                                          \
  "smlad %[l2], %[x], %[u], %[l2]\n ldr.w %[x], [%[a], #i+16]\n"              \
  "smlad %[m3], %[b], %[w], %[m3]\n ldr.w %[w], [%[k]], #4\n"                 \
  "smlad %[l3], %[b], %[u], %[l3]\n ldr.w %[b], [%[a], #i+20]\n .set i, i+16\n"
inline constexpr uint32_t kSplit8Step_bytes = 14 * 4;

// A plain AND pairs with a MAC in either slot, UXTB16 in the older one only.
#define MCUSIM_SPLIT4_TWO_STEPS                                               \
  "and %[u], %[w], #0x00FF00FF\n"                                             \
  "smlad %[m0], %[x], %[u], %[m0]\n"                                          \
  "smlad %[m1], %[b], %[u], %[m1]\n and %[u], %[u], #0x000F000F\n"            \
  "smlad %[l0], %[x], %[u], %[l0]\n ldr.w %[x], [%[a], #i+8]\n"               \
  "smlad %[l1], %[b], %[u], %[l1]\n ldr.w %[b], [%[a], #i+12]\n"              \
  "smlad %[l2], %[x], %[u], %[l2]\n smlad %[l3], %[b], %[u], %[l3]\n"         \
  "and %[u], %[w], #0x00FF00FF\n"                                             \
  "smlad %[m2], %[x], %[u], %[m2]\n ldr.w %[x], [%[a], #i+16]\n"              \
  "smlad %[m3], %[b], %[u], %[m3]\n ldr.w %[b], [%[a], #i+20]\n"              \
  "uxtb16 %[u], %[w], ror #8\n"                                               \
  "smlad %[m0], %[x], %[u], %[m0]\n and %[w], %[u], #0x000F000F\n"            \
  "smlad %[m1], %[b], %[u], %[m1]\n"                                          \
  "smlad %[l0], %[x], %[w], %[l0]\n ldr.w %[x], [%[a], #i+24]\n"              \
  "smlad %[l1], %[b], %[w], %[l1]\n ldr.w %[b], [%[a], #i+28]\n"              \
  "smlad %[m2], %[x], %[u], %[m2]\n"                                          \
  "smlad %[l2], %[x], %[w], %[l2]\n ldr.w %[x], [%[a], #i+32]\n"              \
  "smlad %[l3], %[b], %[w], %[l3]\n ldr.w %[w], [%[k]], #4\n"                 \
  "smlad %[m3], %[b], %[u], %[m3]\n ldr.w %[b], [%[a], #i+36]\n .set i, i+32\n"
inline constexpr uint32_t kSplit4TwoSteps_bytes = 30 * 4;

// Takes S1 of a finished chunk out of m into partial sums and starts the next.
#define MCUSIM_SPLIT_FLUSH(p, shift)                                                 \
  "sub %[m" #p "], %[m" #p "], %[l" #p "]\n ldr %[u], %[s" #p "]\n"           \
  "add %[u], %[u], %[m" #p "], asr #" shift "\n str %[u], %[s" #p "]\n"         \
  "mov %[m" #p "], %[l" #p "]\n"

#define MCUSIM_SPLIT_LOOP(bodies, shift)                                      \
  asm volatile(                                                               \
      "adr.w %[m0], 1f\n ldr %[w], [%[k]], #4\n add %[u], %[u], %[m0]\n"       \
      "mov %[m0], %[l0]\n mov %[m1], %[l1]\n"                                 \
      "mov %[m2], %[l2]\n mov %[m3], %[l3]\n mov pc, %[u]\n"                  \
      ".p2align 3\n1:\n .set i, 0\n" bodies                                   \
      "add %[a], %[a], #i\n ldr %[u], %[end]\n cmp %[a], %[u]\n bne 1b\n"     \
      "ldr %[b], %[last]\n cmp %[u], %[b]\n beq 2f\n"                         \
      MCUSIM_SPLIT_FLUSH(0, shift) MCUSIM_SPLIT_FLUSH(1, shift)                             \
      MCUSIM_SPLIT_FLUSH(2, shift) MCUSIM_SPLIT_FLUSH(3, shift)                             \
      "ldr %[u], %[chunk]\n add %[u], %[a], %[u]\n str %[u], %[end]\n"         \
      "ldr %[b], [%[a], #4]\n b 1b\n"                                         \
      "2:\n sub %[m0], %[m0], %[l0]\n sub %[m1], %[m1], %[l1]\n"              \
      "sub %[m2], %[m2], %[l2]\n sub %[m3], %[m3], %[l3]\n"                   \
      : [m0] "=&r"(m0), [m1] "=&r"(m1), [m2] "=&r"(m2), [m3] "=&r"(m3),       \
        [l0] "+r"(l0), [l1] "+r"(l1), [l2] "+r"(l2), [l3] "+r"(l3),           \
        [k] "+r"(k), [a] "+r"(a), [w] "=&r"(w), [x] "+r"(x), [u] "+r"(jump),  \
        [b] "+r"(b)                                                           \
      : [end] "m"(spill.end), [last] "m"(spill.last), [s0] "m"(spill.odd[0]), \
        [s1] "m"(spill.odd[1]), [s2] "m"(spill.odd[2]),                       \
        [s3] "m"(spill.odd[3]), [chunk] "m"(spill.chunk_bytes)                \
      : "cc", "memory")

template <const Form& kForm, typename First>
[[gnu::always_inline]] inline void split_asm(const Word*& weights, const Walk& walk,
                                             Spill& spill, First first,
                                             uint32_t (&c0)[4], uint32_t (&c1)[4]) {
  uint32_t l0 = first(0, 0), l1 = first(0, 1), l2 = first(0, 2), l3 = first(0, 3);
  uint32_t m0, m1, m2, m3, w;
  const Word* k = weights;
  uint32_t x = spill.lanes[0], b = spill.lanes[1], jump = walk.jump_bytes;
  const Word* a = walk.early;
  spill.end = walk.first_end;
#pragma GCC unroll 4
  for (int p = 0; p < 4; ++p) spill.odd[p] = first(1, p);
  if constexpr (kForm.number == Number::split8)
    MCUSIM_SPLIT_LOOP(MCUSIM_EIGHT_TIMES(MCUSIM_SPLIT8_STEP), "8");
  else
    MCUSIM_SPLIT_LOOP(MCUSIM_FOUR_TIMES(MCUSIM_SPLIT4_TWO_STEPS), "4");
  weights = k - 1;
  c0[0] = l0, c0[1] = l1, c0[2] = l2, c0[3] = l3;
  c1[0] = m0, c1[1] = m1, c1[2] = m2, c1[3] = m3;
}
#undef MCUSIM_SPLIT_FLUSH
#undef MCUSIM_SPLIT8_STEP
#undef MCUSIM_SPLIT4_TWO_STEPS
#undef MCUSIM_SPLIT_LOOP

#endif

// Code bytes per step of the asm loop, for Walk::jump_bytes.
constexpr uint32_t step_code_bytes(const Form& form) {
#if defined(MCUSIM_ASM_CORES)
  if (form.number == Number::split8) return kSplit8Step_bytes;
  if (form.number == Number::split4) return kSplit4TwoSteps_bytes / 2;
#endif
  return form.granule_steps * 0;
}

// c0[p] = first(0, p) + sum of channel 0, c1[p] = first(1, p) + sum of channel 1;
// `weights` moves on to the next pair. Reads one weight word and two lane words
// past the end.
template <const Form& kForm>
struct Split {
  static constexpr const Form& form = kForm;

  template <typename First>
  [[gnu::always_inline]] static void run(const Word*& weights, const Walk& walk,
                                         [[maybe_unused]] Spill& spill, First first,
                                         uint32_t (&c0)[4], uint32_t (&c1)[4]) {
#if defined(MCUSIM_ASM_CORES)
    split_asm<kForm>(weights, walk, spill, first, c0, c1);
#else
    SplitSums s;
    for (int p = 0; p < 4; ++p) s.l[p] = first(0, p), c1[p] = first(1, p);
    for (uint32_t done = 0, steps = walk.first; done < walk.steps; steps = walk.chunk) {
      for (int p = 0; p < 4; ++p) s.m[p] = s.l[p];
      const Word* w = weights + done / kForm.steps_per_word;
      if constexpr (kForm.number == Number::split8)
        split8_plain(s, w, walk.lanes + 4 * done, steps);
      else
        split4_plain(s, w, walk.lanes + 4 * done, steps);
      for (int p = 0; p < 4; ++p)
        c1[p] += static_cast<uint32_t>(simd::asr(s.m[p] - s.l[p], kForm.field_bits));
      done += steps;
    }
    for (int p = 0; p < 4; ++p) c0[p] = s.l[p];
    weights += walk.steps / kForm.steps_per_word;
#endif
  }

  // Channel 1 of a pixel, from what `run` left.
  [[gnu::always_inline]] static uint32_t second([[maybe_unused]] Spill& spill,
                                                [[maybe_unused]] int p, uint32_t left) {
#if defined(MCUSIM_ASM_CORES)
    return spill.odd[p] + static_cast<uint32_t>(simd::asr(left, kForm.field_bits));
#else
    return left;
#endif
  }
};

}  // namespace mcusim::matmul
