// SPDX-License-Identifier: MIT
// Packed-lane cores: two channels by four pixels, four products per SMLAD.
//
// A lane holds c0 + 2^d * c1 with 2^d above any sum of channel 0 over `flush_steps`
// steps, so t = S0 + 2^d * S1 splits exactly: S1 = t asr d. Then t is flushed into mix
// (modulo 2^32) and S1; at the end S0 = mix - (S1 << d). The rotated masks tile a
// weight word without a gap: `and u, mask, w ror r` unpacks four weights. Steps
// between flushes: 8 for a8w2 (d = 14) and a4w4 (d = 12), 40 for a4w2 and a2w4, 224
// for a2w2. Freestanding.
#pragma once

#include "kernels/ops/cores/core.h"

namespace mcusim::matmul {

// Steps of a body of the loop, and between flushes of the vector core.
inline constexpr uint32_t kBodySteps = 8;

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
                         uint32_t steps, uint32_t flush) {
  for (uint32_t k = 0; k < steps; k += flush) {
    uint32_t t[4] = {0, 0, 0, 0};
    for (uint32_t i = k; i < steps && i < k + flush; ++i) {
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

// Four activation registers rotate: each is reloaded right behind the MAC that used
// it, so every load has three MACs of distance and pairs with one. The lane of the
// next step is unpacked behind the last MAC of this one.
#define MCUSIM_PACKED_STEP(mac, acc, unpack)                                        \
  mac " %[t0], %[a0], %[u]" acc(0) "\n ldr %[a0], [%[a], #i+16]\n"                  \
  mac " %[t1], %[a1], %[u]" acc(1) "\n ldr %[a1], [%[a], #i+20]\n"                  \
  mac " %[t2], %[a2], %[u]" acc(2) "\n ldr %[a2], [%[a], #i+24]\n"                  \
  mac " %[t3], %[a3], %[u]" acc(3) "\n" unpack                                      \
  "ldr %[a3], [%[a], #i+28]\n .set i, i+16\n"
#define MCUSIM_PACKED_NONE(p) ""
#define MCUSIM_PACKED_ADD(p) ", %[t" #p "]"
#define MCUSIM_PACKED_UNPACK(rotation) "and %[u], %[mask], %[w]" rotation "\n"
#define MCUSIM_PACKED_NEXT(unpack) MCUSIM_PACKED_STEP("smlad", MCUSIM_PACKED_ADD, unpack)
#define MCUSIM_PACKED_WORD "ldr %[w], [%[k]], #4\n"
// The steps behind the first of a word; the last one unpacks from the next word.
#define MCUSIM_PACKED_REST_2(last) MCUSIM_PACKED_NEXT(last)
#define MCUSIM_PACKED_REST_4(last)                          \
  MCUSIM_PACKED_NEXT(MCUSIM_PACKED_UNPACK(", ror %[r2]"))   \
  MCUSIM_PACKED_NEXT(MCUSIM_PACKED_UNPACK(", ror %[r3]"))   \
  MCUSIM_PACKED_NEXT(last)
#define MCUSIM_PACKED_FIRST                                 \
  MCUSIM_PACKED_STEP("smuad", MCUSIM_PACKED_NONE, MCUSIM_PACKED_UNPACK(", ror %[r1]"))
#define MCUSIM_PACKED_AGAIN MCUSIM_PACKED_NEXT(MCUSIM_PACKED_UNPACK(", ror %[r1]"))
#define MCUSIM_PACKED_CROSS(rest) MCUSIM_PACKED_WORD rest(MCUSIM_PACKED_UNPACK(""))
#define MCUSIM_PACKED_BODY_2(first)                                                 \
  first                                                                             \
  MCUSIM_THRICE(MCUSIM_PACKED_CROSS(MCUSIM_PACKED_REST_2) MCUSIM_PACKED_AGAIN)      \
  MCUSIM_PACKED_REST_2("")
#define MCUSIM_PACKED_BODY_4(first)                                                 \
  first                                                                             \
  MCUSIM_PACKED_NEXT(MCUSIM_PACKED_UNPACK(", ror %[r2]"))                           \
  MCUSIM_PACKED_NEXT(MCUSIM_PACKED_UNPACK(", ror %[r3]"))                           \
  MCUSIM_PACKED_CROSS(MCUSIM_PACKED_REST_2) MCUSIM_PACKED_AGAIN                     \
  MCUSIM_PACKED_REST_4("")
// A shifted operand issues in front of a plain one.
#define MCUSIM_PACKED_FLUSH(p)                                                      \
  "ldrd %[u], %[w], [%[s], #8*" #p "]\n add %[w], %[w], %[t" #p "], asr %[d]\n"     \
  "add %[u], %[u], %[t" #p "]\n strd %[u], %[w], [%[s], #8*" #p "]\n"
// The same when the next weight word is loaded already.
#define MCUSIM_PACKED_LATE(p)                                                       \
  "ldr %[u], [%[s], #8*" #p "]\n add %[u], %[u], %[t" #p "]\n"                      \
  "str %[u], [%[s], #8*" #p "]\n ldr %[u], [%[s], #8*" #p "+4]\n"                   \
  "add %[u], %[u], %[t" #p "], asr %[d]\n str %[u], [%[s], #8*" #p "+4]\n"
#define MCUSIM_PACKED_CLEAR                                                         \
  "mov %[t0], #0\n mov %[t1], #0\n mov %[t2], #0\n mov %[t3], #0\n"
#define MCUSIM_PACKED_HEAD                                                          \
  MCUSIM_PACKED_WORD                                                                \
  "ldr %[a0], [%[a]]\n ldr %[a1], [%[a], #4]\n"                                     \
  "ldr %[a2], [%[a], #8]\n ldr %[a3], [%[a], #12]\n"
#define MCUSIM_PACKED_NEXT_BODY                                                     \
  MCUSIM_PACKED_WORD "add %[a], %[a], #i\n ldr %[u], %[end]\n cmp %[a], %[u]\n bne 1b\n"
#define MCUSIM_PACKED_OPERANDS                                                      \
  : [k] "+r"(k), [a] "+r"(a), [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2),       \
    [t3] "=&r"(t3), [w] "=&r"(w), [u] "+r"(u),   [a0] "=&r"(a0), [a1] "=&r"(a1),     \
    [a2] "=&r"(a2), [a3] "=&r"(a3), [end] "+m"(end)                                 \
  : [mask] "r"(kPackedMask<kForm>),                                                 \
    [s] "r"(s), [d] "i"(kForm.field_bits), [r1] "i"(kForm.rotations[1]),            \
    [r2] "i"(kForm.rotations[2]), [r3] "i"(kForm.rotations[3])
// A flush behind each body, which starts from SMUAD. Two bodies a turn; `u` is not 0
// where their count is odd, and the first turn starts with the second.
#define MCUSIM_PACKED_PART(body)                                                    \
  ".set i, 0\n" MCUSIM_PACKED_UNPACK("") body(MCUSIM_PACKED_FIRST)                  \
  MCUSIM_PACKED_FLUSH(0) MCUSIM_PACKED_FLUSH(1) MCUSIM_PACKED_FLUSH(2)              \
  MCUSIM_PACKED_FLUSH(3)
#define MCUSIM_PACKED_LOOP(body)                                                    \
  asm volatile(                                                                     \
      MCUSIM_PACKED_HEAD "cmp %[u], #0\n bne 3f\n .p2align 3\n1:\n"                \
      MCUSIM_PACKED_PART(body) MCUSIM_PACKED_WORD "add %[a], %[a], #i\n3:\n"        \
      MCUSIM_PACKED_PART(body) MCUSIM_PACKED_NEXT_BODY                              \
      MCUSIM_PACKED_OPERANDS : "cc", "memory")
// A flush behind each chunk of bodies, the first of which is short.
#define MCUSIM_PACKED_CHUNKS(body)                                                  \
  asm volatile(                                                                     \
      MCUSIM_PACKED_HEAD MCUSIM_PACKED_CLEAR                                        \
      ".p2align 3\n1:\n .set i, 0\n" MCUSIM_PACKED_UNPACK("")                       \
      body(MCUSIM_PACKED_AGAIN) MCUSIM_PACKED_NEXT_BODY                             \
      MCUSIM_PACKED_LATE(0) MCUSIM_PACKED_LATE(1)                                   \
      MCUSIM_PACKED_LATE(2) MCUSIM_PACKED_LATE(3)                                   \
      "ldr %[u], %[last]\n cmp %[a], %[u]\n beq 2f\n"                               \
      "ldr %[u], %[end]\n ldr %[t0], %[chunk]\n add %[u], %[u], %[t0]\n"            \
      "str %[u], %[end]\n" MCUSIM_PACKED_CLEAR "b 1b\n2:\n" MCUSIM_PACKED_OPERANDS,         \
      [last] "m"(last), [chunk] "m"(chunk_bytes) : "cc", "memory")

template <const Form& kForm, uint32_t kFlush>
[[gnu::always_inline]] inline void packed_asm(PackedSums* s, const Word* weights,
                                              const Word* lanes, const Walk& walk) {
  uint32_t t0, t1, t2, t3, w, u = walk.steps & kBodySteps, a0, a1, a2, a3;
  const Word *k = weights, *a = lanes;
  if constexpr (kFlush == kBodySteps) {
    const Word* volatile end = lanes + walk.lane_words;
    if constexpr (kForm.steps_per_word == 2)
      MCUSIM_PACKED_LOOP(MCUSIM_PACKED_BODY_2);
    else
      MCUSIM_PACKED_LOOP(MCUSIM_PACKED_BODY_4);
  } else {
    const Word* const volatile last = lanes + walk.lane_words;
    const volatile uint32_t chunk_bytes = 16 * kFlush;
    const Word* volatile end = lanes + 4 * walk.short_steps;
    if constexpr (kForm.steps_per_word == 2)
      MCUSIM_PACKED_CHUNKS(MCUSIM_PACKED_BODY_2);
    else
      MCUSIM_PACKED_CHUNKS(MCUSIM_PACKED_BODY_4);
  }
}
#undef MCUSIM_PACKED_CHUNKS
#undef MCUSIM_PACKED_PART
#undef MCUSIM_PACKED_OPERANDS
#undef MCUSIM_PACKED_NEXT_BODY
#undef MCUSIM_PACKED_HEAD
#undef MCUSIM_PACKED_CLEAR
#undef MCUSIM_PACKED_LATE
#undef MCUSIM_PACKED_STEP
#undef MCUSIM_PACKED_NONE
#undef MCUSIM_PACKED_ADD
#undef MCUSIM_PACKED_UNPACK
#undef MCUSIM_PACKED_NEXT
#undef MCUSIM_PACKED_WORD
#undef MCUSIM_PACKED_REST_2
#undef MCUSIM_PACKED_REST_4
#undef MCUSIM_PACKED_FIRST
#undef MCUSIM_PACKED_AGAIN
#undef MCUSIM_PACKED_CROSS
#undef MCUSIM_PACKED_BODY_2
#undef MCUSIM_PACKED_BODY_4
#undef MCUSIM_PACKED_FLUSH
#undef MCUSIM_PACKED_LOOP

#endif

// As Wide; sums start at bias - Zw * S, S the activations' sum of the pixel, and weights
// are a row as packed. Reads four lane words and one weight word past the end.
template <const Form& kForm, uint32_t kFlush>
struct Packed {
  static constexpr bool kWidens = false;

  [[gnu::always_inline]] static void run(Sums& sums, const Word* weights, const Word* lanes,
                                         const Walk& walk, const Channel (&ch)[2]) {
    const Word* const activations = lanes + walk.lane_words + 4;
    // All are loaded before the first store, which might alias.
    const uint32_t sum[4] = {activations[0], activations[1], activations[2], activations[3]};
    alignas(8) PackedSums s[4];
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      const uint32_t odd = ch[1].start(sum[p]);
      s[p] = {ch[0].start(sum[p]) + (odd << kForm.field_bits), odd};
    }
#if defined(MCUSIM_ASM_CORES)
    packed_asm<kForm, kFlush>(s, weights, lanes, walk);
#else
    packed_plain<kForm>(s, weights, lanes, walk.steps, kFlush);
#endif
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p)
      sums.c1[p] = s[p].odd, sums.c0[p] = s[p].mix - (s[p].odd << kForm.field_bits);
  }
};

}  // namespace mcusim::matmul
