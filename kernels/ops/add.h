// SPDX-License-Identifier: MIT
// Element-wise addition of two tensors of one shape, each with its own width,
// scale and zero point.
//
// A layer's parameters become an adder once: the fast ones keep everything in one
// multiply per input, and hold for the shifts that scales between 1/2^20 and 2^20
// give; the exact ones take every value the format admits. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"
#include "kernels/ops/scalar_arith.h"
#include "kernels/requant.h"
#include "kernels/simd.h"

namespace mcusim::ops {

// icn-floor for every parameter: one 64-bit sum, one shift, floor.
template <int kOutBits>
struct ExactIcnAdder {
  const net::Op& op;
  int32_t zero_a, zero_b, zero_out;

  uint32_t operator()(uint32_t a, uint32_t b) const {
    const int64_t sum = (int64_t{a} - zero_a) * op.scalar_mult[0] +
                        (int64_t{b} - zero_b) * op.scalar_mult[1];
    const int64_t twice = floor_scale(sum, op.scalar_shift[2] - 30);
    const int64_t value = (twice + (op.flags & net::kOpHalfStep ? 1 : 0)) >> 1;
    return clamp_to(value + zero_out, 0, kMaxValue<kOutBits>);
  }
};

// The same for whole right shifts (30 - N0, which leave twice the value) of at
// least 12: the inputs are shifted up so that the shift ends at the high word.
template <int kOutBits>
struct FastIcnAdder {
  static constexpr int32_t kMinShift = 12, kMaxShift = 63;
  uint32_t up, down;
  int32_t zero_a, zero_b, mult_a, mult_b, add;

  static bool fits(const net::Op& op) {
    const int32_t shift = 30 - op.scalar_shift[2];
    return shift >= kMinShift && shift <= kMaxShift;
  }
  FastIcnAdder(const net::Op& op, int32_t za, int32_t zb, int32_t zero_out)
      : mult_a(op.scalar_mult[0]), mult_b(op.scalar_mult[1]) {
    const int32_t shift = 30 - op.scalar_shift[2];
    up = static_cast<uint32_t>(shift < 32 ? 32 - shift : 0);
    down = static_cast<uint32_t>(shift > 32 ? shift - 32 : 0);
    zero_a = za * (1 << up);
    zero_b = zb * (1 << up);
    add = 2 * zero_out + (op.flags & net::kOpHalfStep ? 1 : 0);
  }
  uint32_t operator()(uint32_t a, uint32_t b) const {
    const int64_t sum = int64_t{static_cast<int32_t>(a << up) - zero_a} * mult_a +
                        int64_t{static_cast<int32_t>(b << up) - zero_b} * mult_b;
    const int32_t twice = static_cast<int32_t>(sum >> 32) >> down;
    return simd::usat<kOutBits>((twice + add) >> 1);
  }
};

inline constexpr int32_t kAddHeadroomBits = 20;

// tflite for every parameter: each input scaled with 20 more bits, summed, scaled.
struct ExactTfliteAdder {
  const net::Op& op;
  int32_t zero_a, zero_b, zero_out;

  uint32_t operator()(uint32_t a, uint32_t b) const {
    const uint32_t sum = scaled(a, zero_a, 0) + scaled(b, zero_b, 1);
    const int32_t value =
        tflite_scale(static_cast<int32_t>(sum), op.scalar_mult[2], op.scalar_shift[2]);
    return clamp_to(int64_t{value} + zero_out, op.act_min, op.act_max);
  }
  uint32_t scaled(uint32_t v, int32_t zero, int i) const {
    const int32_t above = static_cast<int32_t>(v) - zero;
    return static_cast<uint32_t>(
        tflite_scale(above * (1 << kAddHeadroomBits), op.scalar_mult[i], op.scalar_shift[i]));
  }
};

// The same for right shifts: SMMULR of doubled values is the first rounding, the
// second takes half off below zero.
struct FastTfliteAdder {
  struct Step {
    int32_t mult, half, sign;
    uint32_t shift;
    int32_t operator()(int32_t doubled) const {
      const int32_t v = simd::smmulr(doubled, mult);
      return (v + half + (v >> 31 & sign)) >> shift;
    }
  };
  Step steps[3];
  int32_t zero_a, zero_b, zero_out, act_min, act_max;

  static bool fits(const net::Op& op) {
    for (int i = 0; i < 3; ++i) {
      if (op.scalar_shift[i] > 0 || op.scalar_shift[i] < -28) return false;
    }
    return true;
  }
  FastTfliteAdder(const net::Op& op, int32_t za, int32_t zb, int32_t zy)
      : zero_a(za), zero_b(zb), zero_out(zy), act_min(op.act_min), act_max(op.act_max) {
    for (int i = 0; i < 3; ++i) {
      const int32_t right = -op.scalar_shift[i];
      steps[i] = {op.scalar_mult[i], right == 0 ? 0 : 1 << (right - 1), right == 0 ? 0 : -1,
                  static_cast<uint32_t>(right)};
    }
  }
  uint32_t operator()(uint32_t a, uint32_t b) const {
    constexpr int32_t kDoubled = 1 << (kAddHeadroomBits + 1);
    const int32_t sum = steps[0]((static_cast<int32_t>(a) - zero_a) * kDoubled) +
                        steps[1]((static_cast<int32_t>(b) - zero_b) * kDoubled);
    const int32_t value = steps[2](sum * 2) + zero_out;
    const int32_t low = value < act_min ? act_min : value;
    return static_cast<uint32_t>(low > act_max ? act_max : low);
  }
};

template <int kFirstBits, int kSecondBits, int kOutBits, typename Adder>
inline void add_elements(const KernelCall& call, const Adder& adder) {
  const net::Tensor& out = *call.out;
  for (uint32_t y = 0; y < out.h; ++y) {
    for (uint32_t x = 0; x < out.w; ++x) {
      const uint8_t* p = pixel(*call.in0, call.arena, y, x);
      const uint8_t* q = pixel(*call.in1, call.arena, y, x);
      uint8_t* target = pixel(out, call.arena, y, x);
      for (uint32_t c = 0; c < out.c; c += kGroup) {
        const uint32_t count = min_u32(kGroup, out.c - c);
        const uint32_t a = load_group<kFirstBits>(p + packed_bytes<kFirstBits>(c), count);
        const uint32_t b = load_group<kSecondBits>(q + packed_bytes<kSecondBits>(c), count);
        uint32_t lanes = adder(a & 0xFF, b & 0xFF);
        lanes |= adder(a >> 8 & 0xFF, b >> 8 & 0xFF) << 8;
        lanes |= adder(a >> 16 & 0xFF, b >> 16 & 0xFF) << 16;
        lanes |= adder(a >> 24, b >> 24) << 24;
        store_group<kOutBits>(target + packed_bytes<kOutBits>(c), lanes, count);
      }
    }
  }
}

template <int kFirstBits, int kSecondBits, int kOutBits, net::Contract kContract>
[[gnu::noinline]] void add_tensors(const KernelCall& call) {
  constexpr bool kTflite = kContract == net::Contract::tflite;
  const net::Op& op = *call.op;
  const int32_t zero_a = call.in0->zero_point, zero_b = call.in1->zero_point;
  const int32_t zero_out = call.out->zero_point;
  const auto run = [&](const auto& adder) {
    add_elements<kFirstBits, kSecondBits, kOutBits>(call, adder);
  };
  if constexpr (kTflite) {
    if (FastTfliteAdder::fits(op)) {
      run(FastTfliteAdder(op, zero_a, zero_b, zero_out));
    } else {
      run(ExactTfliteAdder{op, zero_a, zero_b, zero_out});
    }
  } else if (FastIcnAdder<kOutBits>::fits(op)) {
    run(FastIcnAdder<kOutBits>(op, zero_a, zero_b, zero_out));
  } else {
    run(ExactIcnAdder<kOutBits>{op, zero_a, zero_b, zero_out});
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
