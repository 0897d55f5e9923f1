// SPDX-License-Identifier: MIT
// Conversion of a vertical pair of input rows into channel planes.
//
// Input:  row a: a0 a1 a2 a3 | a0 a1 a2 a3 ...   (channels innermost)
//         row b: b0 b1 b2 b3 | b0 b1 b2 b3 ...
// Plane of channel i: one word per column and row pair, (a_i, b_i) as two 16-bit
// halves, so that one SMLAD takes two vertical taps. The row pairs of the ring lie
// side by side in a column. Rows outside the input hold the zero point.
// Freestanding.
#pragma once

#include "kernels/ops/elements.h"
#include "kernels/simd.h"

namespace mcusim::ops {

struct PairSource {
  const uint8_t* upper;  // first channel of the first column, null for padding
  const uint8_t* lower;
  uint32_t pixel_bytes;  // from column to column
  uint32_t columns;
  uint32_t zero_point;
};

// `count` channels behind `channel`, any rows.
template <int kBits>
inline void convert_group_plain(const PairSource& s, uint32_t channel, uint32_t count,
                                uint32_t* to, uint32_t plane_words, uint32_t ring) {
  const uint32_t offset = packed_bytes<kBits>(channel), padding = s.zero_point * 0x01010101u;
  for (uint32_t x = 0; x < s.columns; ++x, to += ring) {
    const uint32_t at = offset + x * s.pixel_bytes;
    const uint32_t a = s.upper ? load_group<kBits>(s.upper + at, count) : padding;
    const uint32_t b = s.lower ? load_group<kBits>(s.lower + at, count) : padding;
    const uint32_t low = simd::pkhbt(a, b), high = simd::pkhtb(a, b);
    to[0] = simd::uxtb16(low);
    to[plane_words] = simd::uxtb16_ror8(low);
    to[2 * plane_words] = simd::uxtb16(high);
    to[3 * plane_words] = simd::uxtb16_ror8(high);
  }
}

enum class PairKind : uint8_t { both, upper_only, lower_only };

#if defined(__arm__)

// One column: two loaded values a and b become four words in four planes.
// Extracts issue only in the older slot and a store may take their result in the same
// cycle, so each stands in front of its store; `x` and `y` fill the other slots.
#define MCUSIM_DW_SPLIT8(a, b, t, x, y)                                           \
  "pkhbt %[" t "], %[" a "], %[" b "], lsl #16\n" x                               \
  "pkhtb %[" b "], %[" b "], %[" a "], asr #16\n" y                               \
  "uxtb16 %[" a "], %[" t "], ror #8\n str %[" a "], [%[q], %[plane]]\n"          \
  "uxtb16 %[" a "], %[" b "]\n str %[" a "], [%[q], %[plane], lsl #1]\n"          \
  "uxtb16 %[" b "], %[" b "], ror #8\n str %[" b "], [%[q], %[plane3]]\n"         \
  "uxtb16 %[" t "], %[" t "]\n str %[" t "], [%[q]], %[ring]\n"
#define MCUSIM_DW_SPLIT_FIELDS(a, b, t, s1, s2, s3, x, y)                         \
  "orr %[" t "], %[" a "], %[" b "], lsl #16\n" x                                 \
  "and %[" a "], %[mask], %[" t "], lsr #" s1 "\n str %[" a "], [%[q], %[plane]]\n" \
  "and %[" b "], %[mask], %[" t "], lsr #" s2 "\n"                                \
  "str %[" b "], [%[q], %[plane], lsl #1]\n" y                                    \
  "and %[" a "], %[mask], %[" t "], lsr #" s3 "\n str %[" a "], [%[q], %[plane3]]\n" \
  "and %[" t "], %[mask], %[" t "]\n str %[" t "], [%[q]], %[ring]\n"
#define MCUSIM_DW_SPLIT4(a, b, t, x, y) MCUSIM_DW_SPLIT_FIELDS(a, b, t, "4", "8", "12", x, y)
#define MCUSIM_DW_SPLIT2(a, b, t, x, y) MCUSIM_DW_SPLIT_FIELDS(a, b, t, "2", "4", "6", x, y)
// Four columns a turn, then single ones.
#define MCUSIM_DW_TWO(load, split, count)                                                  \
  load " %[a], [%[p]]\n " load " %[b], [%[p], %[down]]\n"                                  \
  split("a", "b", "t", load " %[c], [%[p], %[step]]\n", load " %[d], [%[p], %[both]]\n")   \
  split("c", "d", "t", "add %[p], %[p], %[step], lsl #1\n", count)
#define MCUSIM_DW_BOTH(load, split)                                                        \
  "subs %[n], %[n], #4\n blt 2f\n .p2align 3\n1:\n"                                        \
  MCUSIM_DW_TWO(load, split, "") MCUSIM_DW_TWO(load, split, "subs %[n], %[n], #4\n")       \
  "bge 1b\n 2: adds %[n], %[n], #4\n beq 3f\n"                                            \
  "4: " load " %[a], [%[p]]\n " load " %[b], [%[p], %[down]]\n"                            \
  split("a", "b", "t", "add %[p], %[p], %[step]\n", "subs %[n], %[n], #1\n") "bne 4b\n3:\n"
// Border pairs: one row loaded, the other the padding value held in `down`.
#define MCUSIM_DW_ONE(load, split, row, other)                                    \
  "1: " load " %[" row "], [%[p]]\n mov %[" other "], %[down]\n"                  \
  "add %[p], %[p], %[step]\n subs %[n], %[n], #1\n" split("a", "b", "t", "", "") "bne 1b\n"
#define MCUSIM_DW_CONVERT(load, split)                                            \
  if constexpr (kKind == PairKind::both)                                          \
    asm volatile(MCUSIM_DW_BOTH(load, split) MCUSIM_DW_OPERANDS);                 \
  else if constexpr (kKind == PairKind::upper_only)                               \
    asm volatile(MCUSIM_DW_ONE(load, split, "a", "b") MCUSIM_DW_OPERANDS);        \
  else                                                                            \
    asm volatile(MCUSIM_DW_ONE(load, split, "b", "a") MCUSIM_DW_OPERANDS)
#define MCUSIM_DW_OPERANDS                                                        \
  : [p] "+r"(p), [q] "+r"(q), [n] "+r"(n), [a] "=&r"(a), [b] "=&r"(b),            \
    [t] "=&r"(t), [c] "=&r"(c), [d] "=&r"(d)                                      \
  : [down] "r"(down), [step] "r"(step), [plane] "r"(plane), [plane3] "r"(plane3), \
    [both] "r"(both), [ring] "i"(kRing * 4), [mask] "r"(mask)                     \
  : "cc", "memory"

// Whole groups whose rows are inside the input as kKind says.
template <int kBits, int kRing, PairKind kKind>
[[gnu::noinline]] void convert_groups(const PairSource& s, uint32_t groups, uint32_t* to,
                                      uint32_t plane_words) {
  const uint8_t* source = kKind == PairKind::lower_only ? s.lower : s.upper;
  const uint32_t padding = s.zero_point * (kBits == 8 ? 0x01010101u : kBits == 4 ? 0x1111u : 0x55u);
  const uint32_t down =
      kKind == PairKind::both ? static_cast<uint32_t>(s.lower - s.upper) : padding;
  const uint32_t step = s.pixel_bytes, both = down + step, columns = s.columns;
  const uint32_t plane = plane_words * 4, plane3 = plane * 3;
  const uint32_t mask = kBits == 4 ? 0x000F000Fu : 0x00030003u;
  for (; groups != 0; --groups, source += packed_bytes<kBits>(kGroup), to += 4 * plane_words) {
    const uint8_t* p = source;
    uint32_t* q = to;
    uint32_t n = columns, a, b, t, c, d;
    if constexpr (kBits == 8) {
      MCUSIM_DW_CONVERT("ldr", MCUSIM_DW_SPLIT8);
    } else if constexpr (kBits == 4) {
      MCUSIM_DW_CONVERT("ldrh", MCUSIM_DW_SPLIT4);
    } else {
      MCUSIM_DW_CONVERT("ldrb", MCUSIM_DW_SPLIT2);
    }
  }
}

#undef MCUSIM_DW_OPERANDS
#undef MCUSIM_DW_CONVERT
#undef MCUSIM_DW_ONE
#undef MCUSIM_DW_BOTH
#undef MCUSIM_DW_TWO
#undef MCUSIM_DW_SPLIT2
#undef MCUSIM_DW_SPLIT4
#undef MCUSIM_DW_SPLIT_FIELDS
#undef MCUSIM_DW_SPLIT8

#else

template <int kBits, int kRing, PairKind kKind>
inline void convert_groups(const PairSource& s, uint32_t groups, uint32_t* to,
                           uint32_t plane_words) {
  for (uint32_t g = 0; g < groups; ++g, to += kGroup * plane_words) {
    convert_group_plain<kBits>(s, g * kGroup, kGroup, to, plane_words, kRing);
  }
}

#endif

// All channels of a tile; `to` is the first inner column of the pair's ring slot.
// Planes of the channels that fill the last group are written too.
template <int kBits, int kRing>
[[gnu::noinline]] void convert_pair(const PairSource& s, uint32_t channels, uint32_t* to,
                                    uint32_t plane_words) {
  const uint32_t groups = channels / kGroup;
  if (s.upper && s.lower) {
    convert_groups<kBits, kRing, PairKind::both>(s, groups, to, plane_words);
  } else if (s.upper) {
    convert_groups<kBits, kRing, PairKind::upper_only>(s, groups, to, plane_words);
  } else if (s.lower) {
    convert_groups<kBits, kRing, PairKind::lower_only>(s, groups, to, plane_words);
  } else {
    for (uint32_t c = groups * kGroup; c != 0; --c, to += plane_words) {
      for (uint32_t x = 0; x < s.columns; ++x) to[x * kRing] = s.zero_point * 0x00010001u;
    }
    to -= groups * kGroup * plane_words;
  }
  if (channels % kGroup != 0) {
    convert_group_plain<kBits>(s, groups * kGroup, channels % kGroup,
                               to + groups * kGroup * plane_words, plane_words, kRing);
  }
}

}  // namespace mcusim::ops
