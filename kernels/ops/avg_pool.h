// SPDX-License-Identifier: MIT
// Average pooling, windowed and global.
//
// Four channels are summed as two words of 16-bit lanes; 257 cells of 255 fill a
// lane, so longer windows spill into 32-bit sums. Only cells inside the input
// count, and n is their number. tflite with unequal scales takes a multiplier of
// Sx/(n*Sy) and therefore needs windows of one size. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"
#include "kernels/ops/scalar_arith.h"
#include "kernels/requant.h"
#include "kernels/simd.h"

namespace mcusim::ops {

struct WindowSums {
  uint32_t of[kGroup];
};

// Sums of `count` channels over rows x columns cells; `first` is the group's
// place in the first cell. kWhole: count is four.
template <int kBits, bool kWhole>
inline WindowSums sum_window(const uint8_t* first, const net::Tensor& t, uint32_t rows,
                             uint32_t columns, uint32_t count) {
  constexpr uint32_t kLaneCells = 257;
  const uint32_t row_bytes = t.row_stride_bytes, cell_bytes = t.pixel_stride_bytes;
  if (row_bytes == columns * cell_bytes) {
    columns *= rows;
    rows = 1;
  }
  WindowSums sums{};
  uint32_t even = 0, odd = 0, left = kLaneCells;
  const auto spill = [&] {
    sums.of[0] += even & 0xFFFF;
    sums.of[1] += odd & 0xFFFF;
    sums.of[2] += even >> 16;
    sums.of[3] += odd >> 16;
    even = odd = 0;
    left = kLaneCells;
  };
  for (uint32_t y = 0; y < rows; ++y, first += row_bytes) {
    const uint8_t* p = first;
    for (uint32_t x = columns; x != 0;) {
      const uint32_t run = min_u32(x, left);
      x -= run;
      left -= run;
#pragma GCC unroll 4
      for (uint32_t i = run; i != 0; --i, p += cell_bytes) {
        const uint32_t lanes = kWhole ? load4<kBits>(p) : load_group<kBits>(p, count);
        even = simd::uxtab16(even, lanes);
        odd = simd::uxtab16_ror8(odd, lanes);
      }
      if (left == 0) spill();
    }
  }
  spill();
  return sums;
}

// Output of one sum over n cells (sum and result in the stored domain).
template <net::Contract kContract, int kOutBits>
inline uint32_t average(uint32_t sum, uint32_t n, const KernelCall& call) {
  const net::Op& op = *call.op;
  const int32_t zero_out = call.out->zero_point;
  if constexpr (kContract == net::Contract::icn_floor) {
    const uint32_t above = sum - n * static_cast<uint32_t>(call.in0->zero_point);
    const int64_t product = int64_t{static_cast<int32_t>(above)} * op.scalar_mult[0];
    const int64_t twice = floor_scale(product, op.scalar_shift[0] - 30);
    const int64_t mean = floor_div(twice + (op.flags & net::kOpHalfStep ? n : 0), 2 * n);
    return clamp_to(mean + zero_out, 0, kMaxValue<kOutBits>);
  } else {
    constexpr int32_t kSignedOffset = 128;  // real int8 = stored - 128
    if (op.scalar_mult[0] == 0) {
      const int32_t q = static_cast<int32_t>(sum - n * uint32_t{kSignedOffset});
      const int32_t mean = round_div(q, static_cast<int32_t>(n));
      return clamp_to(mean + kSignedOffset, op.act_min, op.act_max);
    }
    const uint32_t above = sum - n * static_cast<uint32_t>(call.in0->zero_point);
    const int32_t scaled =
        tflite_scale(static_cast<int32_t>(above), op.scalar_mult[0], op.scalar_shift[0]);
    return clamp_to(int64_t{scaled} + zero_out, op.act_min, op.act_max);
  }
}

template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline void avg_pool(const KernelCall& call) {
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  const net::Tensor& out = *call.out;
  for (uint32_t oy = 0; oy < out.h; ++oy) {
    const Span rows = span_inside(oy, op.stride_h, op.pad_top, op.kernel_h, in.h);
    for (uint32_t ox = 0; ox < out.w; ++ox) {
      const Span columns = span_inside(ox, op.stride_w, op.pad_left, op.kernel_w, in.w);
      const uint32_t height = rows.last - rows.first, width = columns.last - columns.first;
      const uint32_t n = height * width;
      const uint8_t* source =
          pixel(in, call.arena, rows.origin + rows.first, columns.origin + columns.first);
      uint8_t* target = pixel(out, call.arena, oy, ox);
      for (uint32_t c = 0; c < out.c; c += kGroup) {
        const uint32_t count = min_u32(kGroup, out.c - c);
        const uint8_t* first = source + packed_bytes<kInBits>(c);
        const WindowSums sums = count == kGroup
                                    ? sum_window<kInBits, true>(first, in, height, width, count)
                                    : sum_window<kInBits, false>(first, in, height, width, count);
        uint32_t lanes = 0;
        for (uint32_t i = 0; i < count; ++i) {
          lanes |= average<kContract, kOutBits>(sums.of[i], n, call) << (8 * i);
        }
        store_group<kOutBits>(target + packed_bytes<kOutBits>(c), lanes, count);
      }
    }
  }
}

}  // namespace mcusim::ops
