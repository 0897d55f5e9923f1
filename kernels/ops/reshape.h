// SPDX-License-Identifier: MIT
// Reshape: the elements in HWC order, re-packed because each pixel of the new
// shape starts on a byte of its own. A plain copy where neither side has pad
// bits or gaps. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/elements.h"

namespace mcusim::ops {

// Walks the elements of a tensor in HWC order.
template <int kBits>
class ElementReader {
 public:
  ElementReader(const net::Tensor& t, const uint8_t* arena)
      : t_(t), row_(pixel(t, arena, 0, 0)), pixel_(row_) {}

  uint32_t next() {
    if (c_ == t_.c) {
      c_ = 0;
      pixel_ += t_.pixel_stride_bytes;
      if (++x_ == t_.w) {
        x_ = 0;
        pixel_ = row_ += t_.row_stride_bytes;
      }
    }
    return element<kBits>(pixel_, c_++);
  }

 private:
  const net::Tensor& t_;
  const uint8_t* row_;
  const uint8_t* pixel_;
  uint32_t x_ = 0, c_ = 0;
};

template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline void reshape(const KernelCall& call) {
  static_assert(kInBits == kOutBits, "reshaping keeps the width");
  const net::Tensor& in = *call.in0;
  const net::Tensor& out = *call.out;
  if (is_dense<kInBits>(in) && is_dense<kOutBits>(out)) {
    copy_bytes(pixel(out, call.arena, 0, 0), pixel(in, call.arena, 0, 0),
               in.h * in.row_stride_bytes);
    return;
  }
  ElementReader<kInBits> reader(in, call.arena);
  for (uint32_t y = 0; y < out.h; ++y) {
    for (uint32_t x = 0; x < out.w; ++x) {
      uint8_t* to = pixel(out, call.arena, y, x);
      for (uint32_t c = 0; c < out.c; c += kGroup) {
        const uint32_t count = min_u32(kGroup, out.c - c);
        uint32_t lanes = 0;
        for (uint32_t i = 0; i < count; ++i) lanes |= reader.next() << (8 * i);
        store_group<kOutBits>(to + packed_bytes<kOutBits>(c), lanes, count);
      }
    }
  }
}

}  // namespace mcusim::ops
