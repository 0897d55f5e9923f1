// SPDX-License-Identifier: MIT
// Expansion of a K stream into lane words, four pixels interleaved (or one for
// fully connected), summing the elements on the way with USADA8.
//
// Nothing is subtracted and nothing reordered: the element order that UXTB16
// leaves is what the packed weights follow (kernels/ops/matmul_layout.h).
// Freestanding.
#pragma once

#include "kernels/simd.h"

namespace mcusim::matmul {

// Lane words that one stream word becomes, all pixels counted.
template <int kBits, int kPixels>
inline constexpr uint32_t kLaneWords = kPixels * (16 / kBits);

// One stream word into lanes; returns the sum of its elements plus `sum` (kSum).
template <int kBits, int kPixels, bool kSum>
[[gnu::always_inline]] inline uint32_t expand_word(uint32_t x, simd::Word* d, uint32_t sum) {
  using namespace simd;
  if constexpr (kBits == 8) {
    d[0] = uxtb16(x);
    d[kPixels] = uxtb16_ror8(x);
    return kSum ? usada8(x, 0, sum) : sum;
  }
  constexpr uint32_t kMask = kBits == 4 ? 0x0F0F0F0Fu : 0x03030303u;
#pragma GCC unroll 4
  for (int j = 0; j < 8 / kBits; ++j) {
    const uint32_t y = (x >> (kBits * j)) & kMask;
    if (kSum) sum = usada8(y, 0, sum);
    d[2 * j * kPixels] = uxtb16(y);
    d[(2 * j + 1) * kPixels] = uxtb16_ror8(y);
  }
  return sum;
}

// A whole stream; kPixels is the interleave: lane word s of a pixel lies at
// d[s * kPixels].
template <int kBits, int kPixels, bool kSum = true>
[[gnu::noinline, gnu::noclone]] uint32_t expand(const uint8_t* stream, uint32_t words, simd::Word* d) {
  constexpr uint32_t kStep = kLaneWords<kBits, kPixels>;
  uint32_t sum = 0;
  if (words & 1) {
    sum = expand_word<kBits, kPixels, kSum>(simd::load_any(stream), d, sum);
    stream += 4;
    d += kStep;
  }
  for (words /= 2; words > 0; --words, stream += 8, d += 2 * kStep) {
    sum = expand_word<kBits, kPixels, kSum>(simd::load_any(stream), d, sum);
    sum = expand_word<kBits, kPixels, kSum>(simd::load_any(stream + 4), d + kStep, sum);
  }
  return sum;
}

// Bytes from a to b without a library call; the last word may overlap.
[[gnu::always_inline]] inline void copy_bytes(uint8_t* to, const uint8_t* from, uint32_t bytes) {
  if (bytes < 4) {
    for (uint32_t i = 0; i < bytes; ++i) to[i] = from[i];
    return;
  }
  uint32_t i = 0;
  for (; i + 4 <= bytes; i += 4) simd::store_any(to + i, simd::load_any(from + i));
  if (i != bytes) simd::store_any(to + bytes - 4, simd::load_any(from + bytes - 4));
}

}  // namespace mcusim::matmul
