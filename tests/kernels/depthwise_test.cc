// SPDX-License-Identifier: MIT
// Every depthwise row against the convolution sum written out with 64-bit and
// 128-bit integers: odd shapes, all borders, strides, per-side padding, channel
// tails, zero points. Cases named after the defects of the released library of the
// papers keep their names.
#include <algorithm>

#include "tests/kernels/row_bench.h"

namespace mcusim::test {
namespace {

struct Shape {
  uint32_t h, w, c, kernel_h, kernel_w, stride_h, stride_w;
  uint32_t pad_top, pad_left, pad_bottom, pad_right;
  uint32_t gap_bytes = 0;
};

// Shapes of the blocked forms and of everything they leave to the general one.
constexpr Shape kShapes[] = {
    {6, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1},        // even, padded all round
    {7, 5, 5, 3, 3, 1, 1, 1, 1, 1, 1},        // odd output rows and columns, channel tail
    {5, 7, 6, 3, 3, 1, 1, 0, 0, 0, 0},        // valid
    {4, 9, 3, 3, 3, 1, 1, 2, 0, 1, 2},        // each side its own padding
    {3, 3, 4, 3, 3, 1, 1, 0, 0, 0, 0},        // one output
    {3, 4, 4, 3, 3, 1, 1, 0, 0, 0, 0},        // one row of two
    {4, 3, 9, 3, 3, 1, 1, 0, 0, 0, 0, 3},     // one column, gaps
    {8, 8, 8, 3, 3, 2, 2, 0, 0, 1, 1},        // SAME, stride 2, even
    {9, 7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 1},     // SAME, stride 2, odd
    {10, 11, 5, 3, 3, 2, 2, 1, 0, 0, 1, 2},   // stride 2, mixed padding
    {5, 5, 4, 3, 3, 2, 2, 0, 0, 0, 0},        // stride 2, valid
    {3, 3, 2, 3, 3, 2, 2, 0, 0, 0, 0},        // stride 2, one output
    {8, 9, 8, 5, 5, 1, 1, 2, 2, 2, 2},        // 5x5
    {7, 6, 6, 5, 5, 1, 1, 2, 1, 0, 2, 1},     // 5x5, mixed padding, gaps
    {5, 6, 3, 5, 5, 1, 1, 0, 0, 0, 0},        // 5x5 valid
    {9, 9, 5, 5, 5, 2, 2, 1, 2, 2, 1},        // 5x5, stride 2
    {8, 11, 4, 5, 5, 2, 2, 2, 2, 2, 2},
    {7, 7, 5, 3, 3, 2, 1, 1, 1, 1, 1},        // strides differ
    {6, 8, 6, 2, 4, 1, 1, 0, 1, 1, 2},        // even, non-square kernel
    {6, 6, 7, 1, 3, 1, 2, 0, 1, 0, 1},
    {6, 6, 4, 4, 1, 3, 1, 1, 0, 2, 0},
    {5, 5, 10, 5, 5, 1, 1, 0, 0, 0, 0},       // global
};

struct Case {
  Shape s;
  int in_bits, weight_bits, out_bits;
  net::Contract contract;
  bool per_channel_zero, per_channel_mult;
  int in_zero, out_zero;
  int n0_bias = 0;     // moves every N0 away from the natural one
  bool all_maximum = false;
};

std::string text(const Case& k) {
  std::string t = "a" + std::to_string(k.in_bits) + "w" + std::to_string(k.weight_bits) + "y" +
                  std::to_string(k.out_bits) + " contract " +
                  std::to_string(static_cast<int>(k.contract));
  for (uint32_t v : {k.s.h, k.s.w, k.s.c, k.s.kernel_h, k.s.kernel_w, k.s.stride_h, k.s.stride_w,
                     k.s.pad_top, k.s.pad_left, k.s.pad_bottom, k.s.pad_right, k.s.gap_bytes})
    t += " " + std::to_string(v);
  return t + " n0 " + std::to_string(k.n0_bias);
}

void check(const Case& k, Random& random) {
  SCOPED_TRACE(text(k));
  const Shape& s = k.s;
  const uint32_t oh = (s.h + s.pad_top + s.pad_bottom - s.kernel_h) / s.stride_h + 1;
  const uint32_t ow = (s.w + s.pad_left + s.pad_right - s.kernel_w) / s.stride_w + 1;
  const uint32_t taps = s.kernel_h * s.kernel_w, c = s.c;
  const int top = (1 << k.out_bits) - 1;
  RowBench bench;
  const int out =
      bench.tensor(oh, ow, c, static_cast<uint8_t>(k.out_bits), k.out_zero, s.gap_bytes);
  const int in = bench.tensor(s.h, s.w, c, static_cast<uint8_t>(k.in_bits), k.in_zero, s.gap_bytes);
  Values x = random.values(size_t{s.h} * s.w * c, k.in_bits);
  Values w = random.values(size_t{taps} * c, k.weight_bits);
  if (k.all_maximum) {
    std::fill(x.begin(), x.end(), (1 << k.in_bits) - 1);
    std::fill(w.begin(), w.end(), (1 << k.weight_bits) - 1);
  }
  std::vector<int16_t> zw(c);
  std::vector<int32_t> bias(c), folded(c), mult(c), thresholds;
  std::vector<int8_t> shift(c);
  std::vector<uint8_t> directions(c);
  const bool tflite = k.contract == net::Contract::tflite;
  int shared = tflite ? 128 : random.in(-3, (1 << k.weight_bits) + 2);
  for (uint32_t i = 0; i < c; ++i) {
    zw[i] = static_cast<int16_t>(
        k.per_channel_zero ? (i % 5 == 3 ? random.in(-3000, 3000) : random.in(-40, 300)) : shared);
    int64_t sum = 0, bound = 1;
    for (uint32_t t = 0; t < taps; ++t) {
      sum += w[t * c + i] - zw[i];
      bound += std::abs(w[t * c + i] - zw[i]) << k.in_bits;
    }
    bias[i] = random.in(-static_cast<int>(bound / 4), static_cast<int>(bound / 4));
    if (tflite && i % 6 == 2) bias[i] = random.in(-(1 << 30), 1 << 30);  // a dead channel's
    folded[i] = static_cast<int32_t>(static_cast<uint32_t>(bias[i]) -
                                     static_cast<uint32_t>(k.in_zero * sum));
    // m about 2^bits / bound, so that outputs cover their range.
    int n0 = k.out_bits + 1;
    for (int64_t b = bound; b > 1; b /= 2) --n0;
    shift[i] = static_cast<int8_t>(std::clamp(n0 + k.n0_bias, -128, 127));
    if (tflite) shift[i] = static_cast<int8_t>(std::clamp<int>(n0 + k.n0_bias, -31, 0));
    mult[i] = (1 << 30) + random.in(0, (1 << 30) - 1);
    if (!tflite && i % 4 == 1) mult[i] = -mult[i];
    if (i % 7 == 5) mult[i] = 0;
    if (tflite && mult[i] == 0) shift[i] = 0;  // what a vanishing scale becomes
    directions[i] = random.in(0, 1) != 0;
    std::vector<int32_t> row;
    for (int t = 0; t < top; ++t)
      row.push_back(random.in(-static_cast<int>(bound / 3), static_cast<int>(bound / 3)));
    std::sort(row.begin(), row.end());
    if (!directions[i]) std::reverse(row.begin(), row.end());
    thresholds.insert(thresholds.end(), row.begin(), row.end());
  }
  if (!k.per_channel_mult) {
    std::fill(mult.begin(), mult.end(), mult[0]);
    std::fill(shift.begin(), shift.end(), shift[0]);
  }
  net::Op& op = bench.op;
  op.kind = static_cast<uint8_t>(net::OpKind::depthwise);
  op.weight_bits = static_cast<uint8_t>(k.weight_bits);
  op.flags = (k.per_channel_zero ? net::kOpPerChannelZeroPoint : 0) |
             (k.per_channel_mult ? net::kOpPerChannelMult : 0);
  op.kernel_h = s.kernel_h;
  op.kernel_w = s.kernel_w;
  op.stride_h = s.stride_h;
  op.stride_w = s.stride_w;
  op.pad_top = s.pad_top;
  op.pad_left = s.pad_left;
  op.pad_bottom = s.pad_bottom;
  op.pad_right = s.pad_right;
  op.weight_zero_point = k.per_channel_zero ? 0 : shared;
  const bool clamps = tflite && k.out_zero % 2 != 0;
  op.act_min = clamps ? k.out_zero / 2 : 0;
  op.act_max = clamps ? 200 : top;
  WeightShape shape{net::Family::depthwise, c, s.kernel_h, s.kernel_w, c,
                    static_cast<uint8_t>(k.in_bits), static_cast<uint8_t>(k.weight_bits)};
  const LayoutRow& layout = layout_row(layout_for(shape));
  const std::vector<uint8_t> natural(w.begin(), w.end());
  const std::vector<uint8_t> packed = layout.pack(shape, natural);
  ASSERT_EQ(packed.size(), layout.blob_bytes(shape));
  ASSERT_EQ(layout.unpack(shape, packed), natural);
  op.weights_offset = bench.blob(packed);
  op.weights_bytes = static_cast<uint32_t>(packed.size());
  op.bias_offset = bench.blob(folded);
  op.mult_offset = bench.blob(mult);
  op.shift_offset = bench.blob(shift);
  op.zero_points_offset = bench.blob(zw);
  op.thresholds_offset = bench.blob(thresholds);
  op.directions_offset = bench.blob(directions);
  bench.write(in, x);
  bench.run(net::Family::depthwise, k.contract, in, -1, out);
  const Values y = bench.read(out);

  size_t index = 0;
  for (uint32_t oy = 0; oy < oh; ++oy)
    for (uint32_t ox = 0; ox < ow; ++ox)
      for (uint32_t i = 0; i < c; ++i, ++index) {
        int64_t acc = bias[i];
        for (uint32_t ky = 0; ky < s.kernel_h; ++ky)
          for (uint32_t kx = 0; kx < s.kernel_w; ++kx) {
            const int64_t iy = int64_t{oy} * s.stride_h + ky - s.pad_top;
            const int64_t ix = int64_t{ox} * s.stride_w + kx - s.pad_left;
            if (iy < 0 || ix < 0 || iy >= s.h || ix >= s.w) continue;
            acc += int64_t{x[(iy * s.w + ix) * c + i] - k.in_zero} *
                   (w[(ky * s.kernel_w + kx) * c + i] - zw[i]);
          }
        int expected = 0;
        if (tflite) {
          expected = clamp_stored(exact_tflite(acc, mult[i], shift[i]) + k.out_zero, op.act_min,
                                  op.act_max);
        } else if (k.contract == net::Contract::icn_floor) {
          const __int128 product = static_cast<__int128>(acc) * mult[i];
          expected = clamp_stored(exact_floor(product, shift[i] - 31) + k.out_zero, 0, top);
        } else {
          for (int t = 0; t < top; ++t) {
            const int32_t limit = thresholds[i * top + t];
            expected += directions[i] ? acc > limit : acc <= limit;
          }
        }
        ASSERT_EQ(y[index], expected) << "at " << oy << "," << ox << "," << i << " acc " << acc;
      }
}

void check_widths(int in_bits, int weight_bits, net::Contract contract, Random& random) {
  for (int out_bits : {8, 4, 2}) {
    if (contract == net::Contract::thresholds && out_bits == 8) continue;
    if (contract == net::Contract::tflite && (in_bits & weight_bits & out_bits) != 8) continue;
    for (const Shape& s : kShapes) {
      const int in_zero = random.in(0, (1 << in_bits) - 1);
      const int out_zero = random.in(0, (1 << out_bits) - 1);
      const bool zero_per_channel = contract != net::Contract::tflite && random.in(0, 1) != 0;
      check({s, in_bits, weight_bits, out_bits, contract, zero_per_channel, random.in(0, 2) != 0,
             in_zero, out_zero},
            random);
    }
  }
}

TEST(Depthwise, EightBitWeights) {
  Random random;
  for (int in_bits : {8, 4, 2}) check_widths(in_bits, 8, net::Contract::icn_floor, random);
}
TEST(Depthwise, DepthwiseFourBitWeights) {
  Random random;
  for (int in_bits : {8, 4, 2}) check_widths(in_bits, 4, net::Contract::icn_floor, random);
}
TEST(Depthwise, DepthwiseTwoBitWeights) {
  Random random;
  for (int in_bits : {8, 4, 2}) check_widths(in_bits, 2, net::Contract::icn_floor, random);
}
TEST(Depthwise, Thresholds) {
  Random random;
  for (int in_bits : {8, 4, 2})
    for (int weight_bits : {8, 4, 2})
      check_widths(in_bits, weight_bits, net::Contract::thresholds, random);
}
TEST(Depthwise, Tflite) {
  Random random;
  for (int i = 0; i < 4; ++i) check_widths(8, 8, net::Contract::tflite, random);
}

// Every shift of the contract, large biases behind small multipliers among them.
TEST(Depthwise, TfliteAllShifts) {
  Random random;
  for (int bias = -28; bias <= 16; ++bias)
    for (int out_zero : {0, 1, 128, 254, 255})
      check({{5, 5, 13, 3, 3, 1, 1, 1, 1, 1, 1}, 8, 8, 8, net::Contract::tflite, false, true, 7,
             out_zero, bias},
            random);
}

// The released library padded with raw 0 and subtracted the zero point from it.
TEST(Depthwise, PaddingWithNonZeroZeroPoint) {
  Random random;
  for (const Shape& s : kShapes)
    for (int in_bits : {8, 4, 2})
      for (int zero : {0, 1, (1 << in_bits) - 1})
        check({s, in_bits, 8, 8, net::Contract::icn_floor, true, true, zero, 3}, random);
}

// The released library used the top padding for the left side.
TEST(Depthwise, AsymmetricPadding) {
  Random random;
  for (uint32_t kernel : {3u, 5u})
    for (uint32_t stride : {1u, 2u})
      for (uint32_t sides = 0; sides < 16; ++sides) {
        const Shape s{7, 8, 5, kernel, kernel, stride, stride, sides & 1 ? kernel - 1 : 0,
                      sides & 2 ? kernel - 1 : 0, sides & 4 ? 1u : 0, sides & 8 ? kernel - 1 : 0};
        check({s, 8, 8, 8, net::Contract::icn_floor, true, true, 77, 5}, random);
      }
}

// The released library lost channels of the last pixel at two-bit outputs.
TEST(Depthwise, OddPixelsAtTwoBitOutput) {
  Random random;
  for (uint32_t side : {5u, 7u})
    for (uint32_t c : {4u, 7u, 8u, 17u}) {
      const Shape s{side, side, c, 3, 3, 1, 1, 1, 1, 1, 1};
      check({s, 8, 8, 2, net::Contract::icn_floor, true, true, 9, 1}, random);
      check({s, 2, 2, 2, net::Contract::thresholds, false, true, 1, 1}, random);
    }
}

// The released library dropped channels behind the last multiple of its group.
TEST(Depthwise, ChannelTails) {
  Random random;
  for (uint32_t c = 1; c <= 21; ++c)
    for (int bits : {8, 4, 2}) {
      const Shape s{4, 5, c, 3, 3, 1, 1, 1, 1, 1, 1};
      check({s, bits, bits, bits, net::Contract::icn_floor, true, true, 2, 1}, random);
    }
}

// Every N0 the format admits, far outside the useful ones too.
TEST(Depthwise, AllShifts) {
  Random random;
  const Shape s{5, 5, 8, 3, 3, 1, 1, 1, 1, 1, 1};
  for (int bias = -120; bias <= 120; bias += bias > -24 && bias < 24 ? 1 : 8)
    for (int in_bits : {8, 2})
      check({s, in_bits, in_bits, 8, net::Contract::icn_floor, false, true, 1, 77, bias}, random);
}

TEST(Depthwise, AllMaximumOperands) {
  Random random;
  for (const Shape& s : kShapes)
    for (int in_bits : {8, 4, 2})
      for (int weight_bits : {8, 4, 2}) {
        Case k{s, in_bits, weight_bits, 8, net::Contract::icn_floor, true, true, 0, 0};
        k.all_maximum = true;
        check(k, random);
      }
}

// Many channels and wide rows: more than one tile of scratch.
TEST(Depthwise, ManyTiles) {
  Random random;
  for (const Shape& s : {Shape{6, 40, 161, 3, 3, 1, 1, 1, 1, 1, 1},
                         Shape{6, 121, 70, 3, 3, 2, 2, 0, 0, 1, 1},
                         Shape{6, 90, 83, 5, 5, 1, 1, 2, 2, 2, 2},
                         Shape{4, 3000, 9, 3, 3, 1, 1, 1, 1, 1, 1}})
    for (int bits : {8, 4, 2})
      check({s, bits, 8, bits, net::Contract::icn_floor, true, true, 1, 1}, random);
}

}  // namespace
}  // namespace mcusim::test
