// SPDX-License-Identifier: MIT
// Every convolution, pointwise and fully connected row against the sum written out
// with 64-bit and 128-bit integers: odd shapes, all borders, per-side padding,
// views with gaps, channel, pixel and K tails, chunks, all-maximum operands. Cases
// named after the defects of the released library of the papers keep their names.
#include <algorithm>

#include "tests/kernels/row_bench.h"

namespace mcusim::test {
namespace {

using net::Contract;
using net::Family;

struct Shape {
  uint32_t h, w, ci, co, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  uint32_t gap_bytes = 0;
};

struct Case {
  Family family;
  Shape s;
  int in_bits, weight_bits, out_bits;
  Contract contract;
  bool per_channel_zero = true, per_channel_mult = true;
  int in_zero = 1, out_zero = 1;
  int n0_bias = 0;   // moves every N0 away from the natural one
  bool all_maximum = false;
};

std::string text(const Case& k) {
  std::string t = "family " + std::to_string(static_cast<int>(k.family)) + " a" +
                  std::to_string(k.in_bits) + "w" + std::to_string(k.weight_bits) + "y" +
                  std::to_string(k.out_bits) + " contract " +
                  std::to_string(static_cast<int>(k.contract));
  for (uint32_t v : {k.s.h, k.s.w, k.s.ci, k.s.co, k.s.kernel_h, k.s.kernel_w, k.s.stride_h,
                     k.s.stride_w, k.s.pad_top, k.s.pad_left, k.s.pad_bottom, k.s.pad_right,
                     k.s.gap_bytes})
    t += " " + std::to_string(v);
  return t + " n0 " + std::to_string(k.n0_bias);
}

// Parameters of the layer, natural order, unfolded.
struct Parameters {
  Values w;                       // [co][k]
  std::vector<int16_t> zw;
  std::vector<int32_t> bias, mult, thresholds;
  std::vector<int8_t> shift;
  std::vector<uint8_t> directions;
};

Parameters make_parameters(const Case& k, uint32_t depth, Random& random) {
  const uint32_t co = k.s.co;
  const int top = (1 << k.out_bits) - 1;
  const bool tflite = k.contract == Contract::tflite;
  Parameters p;
  p.w = random.values(size_t{co} * depth, k.weight_bits);
  if (k.all_maximum) std::fill(p.w.begin(), p.w.end(), (1 << k.weight_bits) - 1);
  const int shared = tflite ? 128 : random.in(-3, (1 << k.weight_bits) + 2);
  for (uint32_t c = 0; c < co; ++c) {
    if (k.all_maximum && c % 3 == 1)
      std::fill_n(p.w.begin() + c * depth, depth, 0);
    p.zw.push_back(static_cast<int16_t>(
        k.per_channel_zero
            ? (c % 5 == 3 && depth < 2000 ? random.in(-3000, 3000) : random.in(-40, 300))
            : shared));   // |acc| stays below 2^31, as the packer guarantees
    int64_t bound = 1;
    for (uint32_t i = 0; i < depth; ++i)
      bound += int64_t{std::abs(p.w[c * depth + i] - p.zw[c])} << k.in_bits;
    const int quarter = static_cast<int>(std::min<int64_t>(bound / 4, 1 << 29));
    p.bias.push_back(random.in(-quarter, quarter));
    int n0 = k.out_bits + 1;   // M about 2^bits / bound: outputs cover their range
    for (int64_t b = bound; b > 1; b /= 2) --n0;
    p.shift.push_back(static_cast<int8_t>(tflite ? std::clamp(n0, -31, 0)
                                                 : std::clamp(n0 + k.n0_bias, -128, 127)));
    p.mult.push_back((1 << 30) + random.in(0, (1 << 30) - 1));
    if (!tflite && c % 4 == 1) p.mult.back() *= -1;
    // Channels whose outputs cannot vary, beside and between others.
    if (c % 7 == 5) p.mult.back() = 0;
    if (tflite && c % 7 == 5) p.shift.back() = 0;
    if (tflite && c % 6 == 4) p.shift.back() = -31;
    p.directions.push_back(random.in(0, 1) != 0);
    std::vector<int32_t> row;
    for (int t = 0; t < top; ++t) row.push_back(random.in(-quarter, quarter));
    std::sort(row.begin(), row.end());
    if (!p.directions[c]) std::reverse(row.begin(), row.end());
    p.thresholds.insert(p.thresholds.end(), row.begin(), row.end());
  }
  if (!k.per_channel_mult) {
    std::fill(p.mult.begin(), p.mult.end(), p.mult[0]);
    std::fill(p.shift.begin(), p.shift.end(), p.shift[0]);
  }
  return p;
}

int expected_output(const Case& k, const Parameters& p, const net::Op& op, uint32_t c,
                    int64_t acc) {
  const int top = (1 << k.out_bits) - 1;
  if (k.contract == Contract::tflite)
    return clamp_stored(exact_tflite(acc, p.mult[c], p.shift[c]) + k.out_zero, op.act_min,
                        op.act_max);
  if (k.contract == Contract::icn_floor)
    return clamp_stored(
        exact_floor(static_cast<__int128>(acc) * p.mult[c], p.shift[c] - 31) + k.out_zero, 0, top);
  int passed = 0;
  for (int t = 0; t < top; ++t) {
    const int32_t limit = p.thresholds[c * top + t];
    passed += p.directions[c] ? acc > limit : acc <= limit;
  }
  return passed;
}

void fill_op(RowBench& bench, const Case& k, const Parameters& p, int in) {
  const Shape& s = k.s;
  net::Op& op = bench.op;
  const bool fc = k.family == Family::fully_connected;
  op.kind = static_cast<uint8_t>(fc ? net::OpKind::fully_connected : net::OpKind::conv2d);
  op.weight_bits = static_cast<uint8_t>(k.weight_bits);
  op.flags = (k.per_channel_zero ? net::kOpPerChannelZeroPoint : 0) |
             (k.per_channel_mult ? net::kOpPerChannelMult : 0);
  op.kernel_h = static_cast<uint16_t>(s.kernel_h);
  op.kernel_w = static_cast<uint16_t>(s.kernel_w);
  op.stride_h = static_cast<uint16_t>(s.stride_h);
  op.stride_w = static_cast<uint16_t>(s.stride_w);
  op.pad_top = static_cast<uint16_t>(s.pad_top);
  op.pad_left = static_cast<uint16_t>(s.pad_left);
  op.pad_bottom = static_cast<uint16_t>(s.pad_bottom);
  op.pad_right = static_cast<uint16_t>(s.pad_right);
  op.weight_zero_point = k.per_channel_zero ? 0 : p.zw[0];
  const bool tflite = k.contract == Contract::tflite;
  op.act_min = tflite ? k.out_zero / 2 : 0;
  op.act_max = tflite ? (k.out_zero == 0 ? 255 : 200) : (1 << k.out_bits) - 1;
  const WeightShape shape{k.family,
                          s.co,
                          fc ? 1 : s.kernel_h,
                          fc ? 1 : s.kernel_w,
                          fc ? s.h * s.w * s.ci : s.ci,
                          bench.at(in).bits,
                          op.weight_bits};
  const LayoutRow& layout = layout_row(layout_for(shape));
  const std::vector<uint8_t> natural(p.w.begin(), p.w.end());
  const std::vector<uint8_t> packed = layout.pack(shape, natural);
  ASSERT_EQ(packed.size(), layout.blob_bytes(shape));
  ASSERT_EQ(layout.unpack(shape, packed), natural);
  op.weights_offset = bench.blob(packed);
  op.weights_bytes = static_cast<uint32_t>(packed.size());
  std::vector<int32_t> folded;
  const uint32_t depth = static_cast<uint32_t>(p.w.size()) / s.co;
  for (uint32_t c = 0; c < s.co; ++c) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < depth; ++i) sum += p.w[c * depth + i] - p.zw[c];
    folded.push_back(static_cast<int32_t>(static_cast<uint32_t>(p.bias[c]) -
                                          static_cast<uint32_t>(k.in_zero * sum)));
  }
  op.bias_offset = bench.blob(folded);
  op.mult_offset = bench.blob(p.mult);
  op.shift_offset = bench.blob(p.shift);
  op.zero_points_offset = bench.blob(p.zw);
  op.thresholds_offset = bench.blob(p.thresholds);
  op.directions_offset = bench.blob(p.directions);
}

void check(const Case& k, Random& random) {
  SCOPED_TRACE(text(k));
  const Shape& s = k.s;
  const bool fc = k.family == Family::fully_connected;
  const uint32_t kh = fc ? s.h : s.kernel_h, kw = fc ? s.w : s.kernel_w;
  const uint32_t oh = (s.h + s.pad_top + s.pad_bottom - kh) / s.stride_h + 1;
  const uint32_t ow = (s.w + s.pad_left + s.pad_right - kw) / s.stride_w + 1;
  const uint32_t depth = kh * kw * s.ci;
  RowBench bench;
  const int out =
      bench.tensor(oh, ow, s.co, static_cast<uint8_t>(k.out_bits), k.out_zero, s.gap_bytes);
  const int in =
      bench.tensor(s.h, s.w, s.ci, static_cast<uint8_t>(k.in_bits), k.in_zero, s.gap_bytes);
  Values x = random.values(size_t{s.h} * s.w * s.ci, k.in_bits);
  if (k.all_maximum) std::fill(x.begin(), x.end(), (1 << k.in_bits) - 1);
  const Parameters p = make_parameters(k, depth, random);
  fill_op(bench, k, p, in);
  bench.write(in, x);
  bench.run(k.family, k.contract, in, -1, out);
  const Values y = bench.read(out);

  size_t index = 0;
  for (uint32_t oy = 0; oy < oh; ++oy)
    for (uint32_t ox = 0; ox < ow; ++ox)
      for (uint32_t c = 0; c < s.co; ++c, ++index) {
        int64_t acc = p.bias[c];
        size_t i = size_t{c} * depth;
        for (uint32_t ky = 0; ky < kh; ++ky)
          for (uint32_t kx = 0; kx < kw; ++kx)
            for (uint32_t j = 0; j < s.ci; ++j, ++i) {
              const int64_t iy = int64_t{oy} * s.stride_h + ky - s.pad_top;
              const int64_t ix = int64_t{ox} * s.stride_w + kx - s.pad_left;
              if (iy < 0 || ix < 0 || iy >= s.h || ix >= s.w) continue;
              acc += int64_t{x[(iy * s.w + ix) * s.ci + j] - k.in_zero} * (p.w[i] - p.zw[c]);
            }
        ASSERT_EQ(y[index], expected_output(k, p, bench.op, c, acc))
            << "at " << oy << "," << ox << "," << c << " acc " << acc;
      }
}

// Shapes of convolutions: {h w ci co, kernel, stride, padding, gap}.
constexpr Shape kConvShapes[] = {
    {5, 5, 16, 8, 3, 3, 1, 1, 1, 1, 1, 1},      // whole words, padded, odd pixels
    {6, 7, 3, 5, 3, 3, 2, 2, 0, 0, 1, 1},       // first layer, odd output channels
    {4, 5, 5, 3, 3, 3, 1, 1, 2, 0, 1, 2, 3},    // each side its own padding, gaps
    {3, 3, 4, 2, 3, 3, 1, 1, 0, 0, 0, 0},       // one pixel
    {4, 6, 7, 9, 2, 4, 1, 2, 1, 0, 0, 3, 1},    // non-square, K tail
    {5, 4, 1, 1, 1, 3, 1, 1, 0, 1, 0, 1},       // one channel in and out
    {7, 6, 2, 6, 5, 1, 3, 1, 2, 0, 1, 0},
    {9, 3, 12, 4, 4, 3, 2, 1, 0, 2, 2, 0, 4},   // whole words in views with gaps
    {3, 2, 33, 7, 1, 1, 2, 1, 0, 0, 0, 0, 1},   // 1x1 with stride
    {3, 3, 40, 2, 3, 3, 1, 1, 1, 1, 1, 1},      // K = 360: two chunks at 8 bits
};
constexpr Shape kPointwiseShapes[] = {
    {3, 3, 16, 8}, {1, 1, 32, 2},  {1, 5, 24, 6},    {2, 3, 1, 1},      {3, 1, 7, 5},
    {2, 2, 33, 3}, {1, 2, 256, 4}, {1, 3, 257, 2},   {2, 1, 520, 3},    {1, 4, 64, 17},
    {2, 3, 20, 4, 1, 1, 1, 1, 0, 0, 0, 0, 4},        {3, 2, 9, 7, 1, 1, 1, 1, 0, 0, 0, 0, 3},
};
constexpr Shape kFullyConnectedShapes[] = {
    {1, 1, 16, 8}, {1, 1, 64, 12},  {1, 1, 1, 1}, {2, 3, 5, 9},  {1, 1, 256, 2},
    {1, 1, 257, 3}, {3, 2, 100, 17}, {1, 4, 3, 7}, {2, 2, 16, 5, 1, 1, 1, 1, 0, 0, 0, 0, 3},
};

std::span<const Shape> shapes_of(Family family) {
  if (family == Family::conv) return kConvShapes;
  if (family == Family::pointwise) return kPointwiseShapes;
  return kFullyConnectedShapes;
}

constexpr Family kFamilies[] = {Family::conv, Family::pointwise, Family::fully_connected};

// All rows of a contract over all shapes.
void check_rows(Contract contract) {
  Random random;
  for (Family family : kFamilies)
    for (int in_bits : {8, 4, 2})
      for (int weight_bits : {8, 4, 2})
        for (int out_bits : {8, 4, 2}) {
          if (contract == Contract::thresholds && out_bits == 8) continue;
          if (contract == Contract::tflite && (in_bits & weight_bits & out_bits) != 8) continue;
          for (const Shape& s : shapes_of(family))
            check({family, s, in_bits, weight_bits, out_bits, contract,
                   contract != Contract::tflite && random.in(0, 1) != 0, random.in(0, 2) != 0,
                   random.in(0, (1 << in_bits) - 1), random.in(0, (1 << out_bits) - 1)},
                  random);
        }
}

TEST(Matrix, EveryIcnRow) { check_rows(Contract::icn_floor); }
TEST(Matrix, EveryThresholdRow) { check_rows(Contract::thresholds); }
TEST(Matrix, TfliteRows) { check_rows(Contract::tflite); }

// Split and packed accumulators are exact up to their stated limits only: largest
// operands, K on both sides of every chunk and flush.
TEST(Matrix, AllMaximumOperands) {
  Random random;
  for (Family family : {Family::pointwise, Family::fully_connected})
    for (int in_bits : {8, 4, 2})
      for (int weight_bits : {8, 4, 2})
        for (uint32_t k : {15u, 16u, 17u, 255u, 256u, 257u, 511u, 512u, 513u, 1024u, 4609u}) {
          Case c{family, {1, 2, k, 5}, in_bits, weight_bits, 8, Contract::icn_floor};
          if (family == Family::fully_connected) c.s.w = 1;
          c.all_maximum = true;
          check(c, random);
        }
}

// Shifts the fast path cannot carry: multipliers of 1 and above, and tiny ones.
TEST(Matrix, EveryShift) {
  Random random;
  for (Family family : kFamilies)
    for (int n0_bias : {-130, -60, -40, -31, -22, -21, -20, -10, 5, 8, 11, 12, 13, 14, 16, 20, 24,
                        28, 40, 60, 130})
      for (int out_bits : {8, 2})
        check({family, shapes_of(family)[1], 8, 8, out_bits, Contract::icn_floor, true, true, 7, 1,
               n0_bias},
              random);
}

TEST(Matrix, PaddingWithNonZeroZeroPoint) {
  Random random;
  for (const Shape& s : kConvShapes)
    for (int in_bits : {8, 4, 2})
      for (int zero : {0, 1, (1 << in_bits) - 1})
        check({Family::conv, s, in_bits, 8, 8, Contract::icn_floor, true, true, zero, 3}, random);
}

// The released library lost channels of the last pixel at two-bit outputs.
TEST(Matrix, OddPixelsAtTwoBitOutput) {
  Random random;
  for (uint32_t side : {5u, 7u})
    for (uint32_t co : {4u, 7u, 8u, 17u})
      for (int bits : {8, 4, 2})
        check({Family::conv, {side, side, 8, co, 3, 3, 1, 1, 1, 1, 1, 1}, bits, bits, 2,
               Contract::icn_floor},
              random);
}

// The released library dropped the columns of K behind its unroll.
TEST(Matrix, EveryDepthTail) {
  Random random;
  for (int in_bits : {8, 4, 2})
    for (int weight_bits : {8, 4, 2})
      for (uint32_t ci = 1; ci <= 40; ++ci)
        for (Family family : {Family::pointwise, Family::fully_connected})
          check({family, {1, 1, ci, 3}, in_bits, weight_bits, 8, Contract::icn_floor}, random);
}

// The released library used the top padding for the left side.
TEST(Matrix, AsymmetricPadding) {
  Random random;
  for (uint32_t kernel : {2u, 3u, 5u})
    for (uint32_t sides = 0; sides < 16; ++sides) {
      const Shape s{6, 7, 4, 3, kernel, kernel, 1, 1, sides & 1 ? kernel - 1 : 0,
                    sides & 2 ? kernel - 1 : 0, sides & 4 ? 1u : 0, sides & 8 ? kernel - 1 : 0};
      check({Family::conv, s, 8, 8, 8, Contract::icn_floor, true, true, 77, 5}, random);
    }
}

}  // namespace
}  // namespace mcusim::test
