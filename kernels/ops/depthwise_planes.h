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

// One group of up to four channels, any rows: the twin of convert_group.
template <int kBits>
inline void convert_group_plain(const PairSource& s, uint32_t channel, uint32_t count,
                                uint32_t* to, uint32_t plane_words, uint32_t ring) {
  const uint32_t offset = packed_bytes<kBits>(channel), padding = s.zero_point * 0x01010101u;
  const uint8_t* upper = s.upper + offset;
  const uint8_t* lower = s.lower + offset;
  for (uint32_t x = 0; x < s.columns; ++x, to += ring) {
    const uint32_t a = s.upper ? load_group<kBits>(upper, count) : padding;
    const uint32_t b = s.lower ? load_group<kBits>(lower, count) : padding;
    upper += s.pixel_bytes;
    lower += s.pixel_bytes;
    const uint32_t low = simd::pkhbt(a, b), high = simd::pkhtb(a, b);
    to[0] = simd::uxtb16(low);
    to[plane_words] = simd::uxtb16_ror8(low);
    to[2 * plane_words] = simd::uxtb16(high);
    to[3 * plane_words] = simd::uxtb16_ror8(high);
  }
}

#if defined(__arm__)

// Two (one) columns: loads, split into four words, stores into four planes.
#define MCUSIM_DW_SPLIT8(a, b, t)                                                 \
  "pkhbt %[" t "], %[" a "], %[" b "], lsl #16\n"                                 \
  "pkhtb %[" b "], %[" b "], %[" a "], asr #16\n"                                 \
  "uxtb16 %[" a "], %[" t "], ror #8\n uxtb16 %[" t "], %[" t "]\n"               \
  "str %[" a "], [%[q], %[plane]]\n"                                              \
  "uxtb16 %[" a "], %[" b "]\n uxtb16 %[" b "], %[" b "], ror #8\n"               \
  "str %[" a "], [%[q], %[plane], lsl #1]\n str %[" b "], [%[q], %[plane3]]\n"    \
  "str %[" t "], [%[q]], %[ring]\n"
#define MCUSIM_DW_SPLIT_FIELDS(a, b, t, s1, s2, s3)                               \
  "orr %[" t "], %[" a "], %[" b "], lsl #16\n"                                   \
  "and %[" a "], %[mask], %[" t "], lsr #" s1 "\n"                                \
  "and %[" b "], %[mask], %[" t "], lsr #" s2 "\n"                                \
  "str %[" a "], [%[q], %[plane]]\n"                                              \
  "and %[" a "], %[mask], %[" t "], lsr #" s3 "\n"                                \
  "str %[" b "], [%[q], %[plane], lsl #1]\n and %[" t "], %[mask], %[" t "]\n"    \
  "str %[" a "], [%[q], %[plane3]]\n str %[" t "], [%[q]], %[ring]\n"
#define MCUSIM_DW_COLUMN(load, split)                                             \
  load " %[a], [%[p]]\n" load " %[b], [%[p], %[down]]\n add %[p], %[p], %[step]\n" split
#define MCUSIM_DW_COLUMNS(load, split, split2)                                    \
  "subs %[n], %[n], #2\n blt 2f\n"                                                \
  ".p2align 3\n1:\n" load " %[a], [%[p]]\n" load " %[b], [%[p], %[down]]\n"       \
  "add %[p], %[p], %[step]\n" load " %[c], [%[p]]\n" load " %[d], [%[p], %[down]]\n" \
  "add %[p], %[p], %[step]\n subs %[n], %[n], #2\n" split split2 "bge 1b\n"        \
  "2: adds %[n], %[n], #2\n beq 3f\n" MCUSIM_DW_COLUMN(load, split) "3:\n"

// A whole group with both rows inside the input.
template <int kBits, int kRing>
inline void convert_group(const PairSource& s, uint32_t channel, uint32_t* to,
                          uint32_t plane_words) {
  const uint8_t* p = s.upper + packed_bytes<kBits>(channel);
  uint32_t* q = to;
  const uint32_t down = static_cast<uint32_t>(s.lower - s.upper);
  const uint32_t plane = plane_words * 4, plane3 = plane * 3;
  uint32_t n = s.columns, a, b, t, c, d;
#define MCUSIM_DW_OPERANDS                                                              \
  [p] "+r"(p), [q] "+r"(q), [n] "+r"(n), [a] "=&r"(a), [b] "=&r"(b), [t] "=&r"(t),       \
      [c] "=&r"(c), [d] "=&r"(d)                                                         \
      : [down] "r"(down), [step] "r"(s.pixel_bytes), [plane] "r"(plane),                 \
        [plane3] "r"(plane3), [ring] "i"(kRing * 4)
  if constexpr (kBits == 8) {
    asm volatile(MCUSIM_DW_COLUMNS("ldr", MCUSIM_DW_SPLIT8("a", "b", "t"),
                                   MCUSIM_DW_SPLIT8("c", "d", "t"))
                 : MCUSIM_DW_OPERANDS
                 : "cc", "memory");
  } else if constexpr (kBits == 4) {
    asm volatile(MCUSIM_DW_COLUMNS("ldrh", MCUSIM_DW_SPLIT_FIELDS("a", "b", "t", "4", "8", "12"),
                                   MCUSIM_DW_SPLIT_FIELDS("c", "d", "t", "4", "8", "12"))
                 : MCUSIM_DW_OPERANDS, [mask] "r"(0x000F000Fu)
                 : "cc", "memory");
  } else {
    asm volatile(MCUSIM_DW_COLUMNS("ldrb", MCUSIM_DW_SPLIT_FIELDS("a", "b", "t", "2", "4", "6"),
                                   MCUSIM_DW_SPLIT_FIELDS("c", "d", "t", "2", "4", "6"))
                 : MCUSIM_DW_OPERANDS, [mask] "r"(0x00030003u)
                 : "cc", "memory");
  }
#undef MCUSIM_DW_OPERANDS
}

#undef MCUSIM_DW_SPLIT8
#undef MCUSIM_DW_SPLIT_FIELDS
#undef MCUSIM_DW_COLUMN
#undef MCUSIM_DW_COLUMNS

#else

template <int kBits, int kRing>
inline void convert_group(const PairSource& s, uint32_t channel, uint32_t* to,
                          uint32_t plane_words) {
  convert_group_plain<kBits>(s, channel, kGroup, to, plane_words, kRing);
}

#endif

// All channels of a tile; `to` is the first inner column of the pair's ring slot.
// Planes of the channels that fill the last group are written too.
template <int kBits, int kRing>
[[gnu::noinline]] void convert_pair(const PairSource& s, uint32_t channels, uint32_t* to,
                                    uint32_t plane_words) {
  const bool inside = s.upper && s.lower;
  for (uint32_t c = 0; c < channels; c += kGroup, to += kGroup * plane_words) {
    const uint32_t count = min_u32(kGroup, channels - c);
    if (inside && count == kGroup) {
      convert_group<kBits, kRing>(s, c, to, plane_words);
    } else {
      convert_group_plain<kBits>(s, c, count, to, plane_words, kRing);
    }
  }
}

}  // namespace mcusim::ops
