// SPDX-License-Identifier: MIT
// Byte copies for the operators that move values unchanged. Regions may touch
// but never overlap, except for a copy onto itself. Freestanding.
#pragma once

#include "kernels/ops/elements.h"

namespace mcusim::ops {

inline void copy_bytes(uint8_t* to, const uint8_t* from, uint32_t bytes) {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
    const uint32_t a = load_word(from), b = load_word(from + 4);
    const uint32_t c = load_word(from + 8), d = load_word(from + 12);
    store_word(to, a);
    store_word(to + 4, b);
    store_word(to + 8, c);
    store_word(to + 12, d);
  }
  for (; bytes != 0; --bytes) *to++ = *from++;
}

// True when a tensor's pixels follow each other without gaps or pad bits.
template <int kBits>
inline bool is_dense(const net::Tensor& t) {
  const uint32_t bytes = packed_bytes<kBits>(t.c);
  return t.c * kBits % 8 == 0 && t.pixel_stride_bytes == bytes &&
         t.row_stride_bytes == t.w * bytes;
}

}  // namespace mcusim::ops
