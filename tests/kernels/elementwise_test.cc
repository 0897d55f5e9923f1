// SPDX-License-Identifier: MIT
// Add, pad and reshape rows against their definitions, element by element: mixed
// input widths, channel tails, views with gaps, re-packing.
#include "tests/kernels/row_bench.h"

namespace mcusim::test {
namespace {

TEST(Add, IcnIsTheExactFloorOfTheSum) {
  Random random;
  for (int bits0 : {8, 4, 2})
    for (int bits1 : {8, 4, 2})
      for (int out_bits : {8, 4, 2})
        for (uint32_t c : {1u, 3u, 4u, 7u, 8u, 13u})
          for (int n0 : {out_bits - 8, out_bits - 4, 18, 19, 20, -2, -33, -34, -128, 127}) {
            RowBench b;
            const int z0 = random.in(0, (1 << bits0) - 1), z1 = random.in(0, (1 << bits1) - 1);
            const int zy = random.in(0, (1 << out_bits) - 1), top = (1 << out_bits) - 1;
            const int out = b.tensor(3, 5, c, static_cast<uint8_t>(out_bits), zy, c % 3);
            const int in0 = b.tensor(3, 5, c, static_cast<uint8_t>(bits0), z0, c % 2);
            const int in1 = b.tensor(3, 5, c, static_cast<uint8_t>(bits1), z1);
            const Values x0 = random.values(15 * c, bits0), x1 = random.values(15 * c, bits1);
            const bool half = random.in(0, 1) != 0;
            for (int i : {0, 1}) {
              b.op.scalar_mult[i] = (1 << 30) + random.in(0, (1 << 30) - 1);
              if (random.in(0, 3) == 0) b.op.scalar_mult[i] *= -1;
            }
            b.op.scalar_shift[2] = static_cast<int8_t>(n0);
            b.op.flags = half ? net::kOpHalfStep : 0;
            b.op.act_max = top;
            b.write(in0, x0);
            b.write(in1, x1);
            b.run(net::Family::add, net::Contract::icn_floor, in0, in1, out);
            const Values y = b.read(out);
            for (size_t i = 0; i < y.size(); ++i) {
              const __int128 sum = static_cast<__int128>(x0[i] - z0) * b.op.scalar_mult[0] +
                                   static_cast<__int128>(x1[i] - z1) * b.op.scalar_mult[1];
              ASSERT_EQ(y[i], clamp_stored(exact_floor(sum, n0 - 31, 1, half) + zy, 0, top))
                  << i << " n0 " << n0;
            }
          }
}

TEST(Add, TfliteScalesEachInputThenTheSum) {
  Random random;
  for (uint32_t c : {1u, 4u, 6u, 11u})
    for (int repeat = 0; repeat < 60; ++repeat) {
      RowBench b;
      const int out = b.tensor(2, 3, c, 8, random.in(0, 255));
      const int in0 = b.tensor(2, 3, c, 8, random.in(0, 255));
      const int in1 = b.tensor(2, 3, c, 8, random.in(0, 255));
      const Values x0 = random.values(6 * c, 8), x1 = random.values(6 * c, 8);
      for (int i : {0, 1, 2}) b.op.scalar_mult[i] = (1 << 30) + random.in(0, (1 << 30) - 1);
      b.op.scalar_shift[0] = static_cast<int8_t>(random.in(-6, 0));
      b.op.scalar_shift[1] = static_cast<int8_t>(repeat % 5 == 4 ? 1 : random.in(-6, 0));
      b.op.scalar_shift[2] = static_cast<int8_t>(random.in(-21, -16));
      b.op.act_min = random.in(0, 60);
      b.op.act_max = random.in(180, 255);
      b.write(in0, x0);
      b.write(in1, x1);
      b.run(net::Family::add, net::Contract::tflite, in0, in1, out);
      const Values y = b.read(out);
      for (size_t i = 0; i < y.size(); ++i) {
        const auto scaled = [&](int64_t v, int k) {
          return exact_tflite(v, b.op.scalar_mult[k], b.op.scalar_shift[k]);
        };
        const int64_t sum = scaled(int64_t{x0[i] - b.at(in0).zero_point} * (1 << 20), 0) +
                            scaled(int64_t{x1[i] - b.at(in1).zero_point} * (1 << 20), 1);
        ASSERT_EQ(y[i], clamp_stored(scaled(sum, 2) + b.at(out).zero_point, b.op.act_min,
                                     b.op.act_max));
      }
    }
}

TEST(Pad, SurroundsWithTheZeroPoint) {
  Random random;
  for (int bits : {8, 4, 2})
    for (uint32_t c : {1u, 3u, 4u, 5u, 8u, 16u, 21u})
      for (uint32_t gap : {0u, 1u}) {
        RowBench b;
        const int zero = random.in(0, (1 << bits) - 1);
        b.op.pad_top = 1;
        b.op.pad_left = 2;
        b.op.pad_bottom = 3;
        b.op.pad_right = gap;
        const uint32_t h = 3, w = 4, oh = 7, ow = 6 + gap;
        const int out = b.tensor(oh, ow, c, static_cast<uint8_t>(bits), zero, gap);
        const int in = b.tensor(h, w, c, static_cast<uint8_t>(bits), zero);
        const Values x = random.values(h * w * c, bits);
        b.write(in, x);
        b.run(net::Family::pad, net::Contract::none, in, -1, out);
        const Values y = b.read(out);
        for (uint32_t i = 0; i < oh; ++i)
          for (uint32_t j = 0; j < ow; ++j)
            for (uint32_t k = 0; k < c; ++k) {
              const bool inside = i >= 1 && i < 1 + h && j >= 2 && j < 2 + w;
              ASSERT_EQ(y[(i * ow + j) * c + k],
                        inside ? x[((i - 1) * w + j - 2) * c + k] : zero);
            }
      }
}

TEST(Reshape, KeepsTheElementOrder) {
  Random random;
  struct Shapes {
    uint32_t h, w, c, oh, ow, oc;
  };
  for (int bits : {8, 4, 2})
    for (uint32_t gap : {0u, 2u})
      for (const Shapes& s : {Shapes{2, 3, 4, 1, 1, 24}, Shapes{3, 5, 3, 1, 1, 45},
                              Shapes{1, 1, 30, 2, 5, 3}, Shapes{4, 4, 1, 2, 2, 4},
                              Shapes{5, 1, 6, 5, 3, 2}, Shapes{2, 2, 8, 1, 4, 8}}) {
        RowBench b;
        const int out = b.tensor(s.oh, s.ow, s.oc, static_cast<uint8_t>(bits), 0, gap);
        const int in = b.tensor(s.h, s.w, s.c, static_cast<uint8_t>(bits), 0, gap / 2);
        const Values x = random.values(size_t{s.h} * s.w * s.c, bits);
        b.write(in, x);
        b.run(net::Family::reshape, net::Contract::none, in, -1, out);
        EXPECT_EQ(b.read(out), x);
      }
}

}  // namespace
}  // namespace mcusim::test
