// SPDX-License-Identifier: MIT
// Element-wise addition of two tensors of one shape, each with its own width,
// scale and zero point.
//
// All sums are 64-bit (icn) or the 32-bit double rounding of tflite, per element.
// Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"
#include "kernels/ops/scalar_arith.h"
#include "kernels/requant.h"

namespace mcusim::ops {

// icn-floor: one 64-bit sum, one shift, floor.
template <int kOutBits>
inline uint32_t add_icn(int32_t a, int32_t b, const net::Op& op, int32_t zero_out) {
  const int64_t sum = int64_t{a} * op.scalar_mult[0] + int64_t{b} * op.scalar_mult[1];
  const int64_t twice = floor_scale(sum, op.scalar_shift[2] - 30);
  const int64_t value = (twice + (op.flags & net::kOpHalfStep ? 1 : 0)) >> 1;
  return clamp_to(value + zero_out, 0, kMaxValue<kOutBits>);
}

// tflite: each input scaled in 20 more bits, summed, scaled down.
inline uint32_t add_tflite(int32_t a, int32_t b, const net::Op& op, int32_t zero_out) {
  constexpr int32_t kHeadroomBits = 20;
  const int32_t scaled_a =
      tflite_scale(a * (1 << kHeadroomBits), op.scalar_mult[0], op.scalar_shift[0]);
  const int32_t scaled_b =
      tflite_scale(b * (1 << kHeadroomBits), op.scalar_mult[1], op.scalar_shift[1]);
  const uint32_t sum = static_cast<uint32_t>(scaled_a) + static_cast<uint32_t>(scaled_b);
  const int32_t value =
      tflite_scale(static_cast<int32_t>(sum), op.scalar_mult[2], op.scalar_shift[2]);
  return clamp_to(int64_t{value} + zero_out, op.act_min, op.act_max);
}

template <int kInBits, int kOtherBits, int kOutBits, net::Contract kContract>
inline void add_tensors(const KernelCall& call) {
  const net::Tensor& first = *call.in0;
  const net::Tensor& second = *call.in1;
  const net::Tensor& out = *call.out;
  const int32_t zero_first = first.zero_point, zero_second = second.zero_point;
  for (uint32_t y = 0; y < out.h; ++y) {
    for (uint32_t x = 0; x < out.w; ++x) {
      const uint8_t* p = pixel(first, call.arena, y, x);
      const uint8_t* q = pixel(second, call.arena, y, x);
      uint8_t* target = pixel(out, call.arena, y, x);
      for (uint32_t c = 0; c < out.c; c += kGroup) {
        const uint32_t count = min_u32(kGroup, out.c - c);
        const uint32_t a = load_group<kInBits>(p + packed_bytes<kInBits>(c), count);
        const uint32_t b = load_group<kOtherBits>(q + packed_bytes<kOtherBits>(c), count);
        uint32_t lanes = 0;
        for (uint32_t i = 0; i < count; ++i) {
          const int32_t da = static_cast<int32_t>(a >> (8 * i) & 0xFF) - zero_first;
          const int32_t db = static_cast<int32_t>(b >> (8 * i) & 0xFF) - zero_second;
          const uint32_t value = kContract == net::Contract::tflite
                                     ? add_tflite(da, db, *call.op, out.zero_point)
                                     : add_icn<kOutBits>(da, db, *call.op, out.zero_point);
          lanes |= value << (8 * i);
        }
        store_group<kOutBits>(target + packed_bytes<kOutBits>(c), lanes, count);
      }
    }
  }
}

// The second input's width is not part of the row's key: it is chosen here, once.
template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline void add(const KernelCall& call) {
  if constexpr (kContract == net::Contract::tflite) {
    add_tensors<kInBits, 8, kOutBits, kContract>(call);
  } else if (call.in1->bits == 8) {
    add_tensors<kInBits, 8, kOutBits, kContract>(call);
  } else if (call.in1->bits == 4) {
    add_tensors<kInBits, 4, kOutBits, kContract>(call);
  } else {
    add_tensors<kInBits, 2, kOutBits, kContract>(call);
  }
}

}  // namespace mcusim::ops
