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

struct Expanded {
  simd::Word* next;  // where the next stream word's lanes go
  uint32_t sum;      // running sum of the elements
};

// kPixels is the interleave: lane word s of a pixel lies at d[s * kPixels]; byte
// lanes keep the four words of a stream word together.
template <int kBits, bool kBytes, int kPixels>
[[gnu::noinline]] Expanded expand(const uint8_t* stream, uint32_t words, simd::Word* d,
                                  uint32_t sum) {
  using namespace simd;
  constexpr uint32_t kMask = kBits == 4 ? 0x0F0F0F0Fu : 0x03030303u;
#pragma GCC unroll 2
  for (const uint8_t* end = stream + 4 * words; stream != end; stream += 4) {
    const uint32_t x = load_any(stream);
    if constexpr (kBits == 8) {
      sum = usada8(x, 0, sum);
      d[0] = uxtb16(x);
      d[kPixels] = uxtb16_ror8(x);
      d += 2 * kPixels;
    } else {
#pragma GCC unroll 4
      for (int j = 0; j < 8 / kBits; ++j) {
        const uint32_t y = (x >> (kBits * j)) & kMask;
        sum = usada8(y, 0, sum);
        if constexpr (kBytes) {
          d[j] = y;
        } else {
          d[0] = uxtb16(y);
          d[kPixels] = uxtb16_ror8(y);
          d += 2 * kPixels;
        }
      }
      if constexpr (kBytes) d += 4 * kPixels;
    }
  }
  return {d, sum};
}

// Bytes from a to b without a library call.
[[gnu::noinline]] inline void copy_bytes(uint8_t* to, const uint8_t* from, uint32_t bytes) {
  for (; bytes >= 4; bytes -= 4, to += 4, from += 4) simd::store_any(to, simd::load_any(from));
  for (; bytes > 0; --bytes) *to++ = *from++;
}

}  // namespace mcusim::matmul
