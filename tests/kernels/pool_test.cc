// SPDX-License-Identifier: MIT
// Average and max pool rows against the means and maxima written out, with exact
// integers of 128 bits: windows, borders, global pooling, half step, both forms of
// the tflite contract.
#include <algorithm>

#include "tests/kernels/row_bench.h"

namespace mcusim::test {
namespace {

struct Pool {
  uint32_t h, w, c, kernel_h, kernel_w, stride_h, stride_w;
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  uint32_t gap_bytes = 0;
};

constexpr Pool kPools[] = {
    {6, 6, 8, 2, 2, 2, 2},
    {7, 5, 5, 3, 2, 1, 2, 1, 0, 1, 1, 2},
    {9, 9, 6, 3, 3, 2, 2, 1, 1, 1, 1},
    {5, 4, 3, 5, 4, 1, 1},            // global
    {17, 19, 9, 17, 19, 1, 1, 0, 0, 0, 0, 1},  // global, more cells than a 16-bit lane holds
    {8, 3, 2, 4, 3, 3, 1, 3, 2, 0, 0},
    {1, 1, 7, 1, 1, 1, 1},
};

struct Window {
  std::vector<int> cells;  // stored values inside the input
};

// Calls visit(output index, window) for each output element.
template <typename Visit>
void for_each_window(const Pool& p, uint32_t oh, uint32_t ow, const Values& x, Visit visit) {
  size_t index = 0;
  for (uint32_t oy = 0; oy < oh; ++oy)
    for (uint32_t ox = 0; ox < ow; ++ox)
      for (uint32_t c = 0; c < p.c; ++c) {
        Window window;
        for (uint32_t ky = 0; ky < p.kernel_h; ++ky)
          for (uint32_t kx = 0; kx < p.kernel_w; ++kx) {
            const int64_t iy = int64_t{oy} * p.stride_h + ky - p.pad_top;
            const int64_t ix = int64_t{ox} * p.stride_w + kx - p.pad_left;
            if (iy < 0 || ix < 0 || iy >= p.h || ix >= p.w) continue;
            window.cells.push_back(x[(iy * p.w + ix) * p.c + c]);
          }
        visit(index++, window);
      }
}

struct Bench : RowBench {
  int in, out;
  uint32_t oh, ow;
  Bench(const Pool& p, int in_bits, int out_bits, int in_zero, int out_zero) {
    oh = (p.h + p.pad_top + p.pad_bottom - p.kernel_h) / p.stride_h + 1;
    ow = (p.w + p.pad_left + p.pad_right - p.kernel_w) / p.stride_w + 1;
    out = tensor(oh, ow, p.c, static_cast<uint8_t>(out_bits), out_zero, p.gap_bytes);
    in = tensor(p.h, p.w, p.c, static_cast<uint8_t>(in_bits), in_zero, p.gap_bytes);
    op.kernel_h = p.kernel_h;
    op.kernel_w = p.kernel_w;
    op.stride_h = p.stride_h;
    op.stride_w = p.stride_w;
    op.pad_top = p.pad_top;
    op.pad_left = p.pad_left;
    op.pad_bottom = p.pad_bottom;
    op.pad_right = p.pad_right;
    op.act_max = (1 << out_bits) - 1;
  }
};

TEST(AvgPool, IcnIsTheExactFloorOfTheMean) {
  Random random;
  for (const Pool& p : kPools)
    for (int in_bits : {8, 4, 2})
      for (int out_bits : {8, 4, 2})
        for (bool half : {false, true})
          for (int n0 : {out_bits - in_bits, out_bits - in_bits + 2, -7, 31, 40, -128, 127}) {
            const int in_zero = random.in(0, (1 << in_bits) - 1);
            const int out_zero = random.in(0, (1 << out_bits) - 1);
            Bench b(p, in_bits, out_bits, in_zero, out_zero);
            const Values x = random.values(size_t{p.h} * p.w * p.c, in_bits);
            int32_t m0 = (1 << 30) + random.in(0, (1 << 30) - 1);
            if (random.in(0, 3) == 0) m0 = -m0;
            b.op.scalar_mult[0] = m0;
            b.op.scalar_shift[0] = static_cast<int8_t>(n0);
            b.op.flags = half ? net::kOpHalfStep : 0;
            b.write(b.in, x);
            b.run(net::Family::avg_pool, net::Contract::icn_floor, b.in, -1, b.out);
            const Values y = b.read(b.out);
            for_each_window(p, b.oh, b.ow, x, [&](size_t i, const Window& window) {
              int64_t sum = 0;
              for (int v : window.cells) sum += v - in_zero;
              const int64_t mean =
                  exact_floor(static_cast<__int128>(sum) * m0, n0 - 31,
                              static_cast<int64_t>(window.cells.size()), half);
              ASSERT_EQ(y[i], clamp_stored(mean + out_zero, 0, (1 << out_bits) - 1))
                  << "sum " << sum << " n0 " << n0 << " m0 " << m0 << " half " << half;
            });
          }
}

TEST(AvgPool, TfliteEqualScalesRoundsHalfAwayFromZero) {
  Random random;
  for (const Pool& p : kPools)
    for (int low : {0, 40}) {
      Bench b(p, 8, 8, 3, 3);
      const Values x = random.values(size_t{p.h} * p.w * p.c, 8);
      b.op.act_min = low;
      b.op.act_max = 230;
      b.write(b.in, x);
      b.run(net::Family::avg_pool, net::Contract::tflite, b.in, -1, b.out);
      const Values y = b.read(b.out);
      for_each_window(p, b.oh, b.ow, x, [&](size_t i, const Window& window) {
        int sum = 0;
        const int n = static_cast<int>(window.cells.size());
        for (int v : window.cells) sum += v - 128;
        const int mean = sum >= 0 ? (sum + n / 2) / n : -((-sum + n / 2) / n);
        ASSERT_EQ(y[i], clamp_stored(mean + 128, low, 230));
      });
    }
}

TEST(AvgPool, TfliteUnequalScalesRequantises) {
  Random random;
  const Pool p = {7, 7, 6, 7, 7, 1, 1};
  for (int shift = -31; shift <= 1; ++shift) {
    Bench b(p, 8, 8, 131, 90);
    const Values x = random.values(size_t{p.h} * p.w * p.c, 8);
    b.op.scalar_mult[0] = (1 << 30) + random.in(0, (1 << 30) - 1);
    b.op.scalar_shift[0] = static_cast<int8_t>(shift);
    b.write(b.in, x);
    b.run(net::Family::avg_pool, net::Contract::tflite, b.in, -1, b.out);
    const Values y = b.read(b.out);
    for_each_window(p, b.oh, b.ow, x, [&](size_t i, const Window& window) {
      int64_t sum = 0;
      for (int v : window.cells) sum += v - 131;
      ASSERT_EQ(y[i], clamp_stored(exact_tflite(sum, b.op.scalar_mult[0], shift) + 90, 0, 255));
    });
  }
}

TEST(MaxPool, TakesCellsInsideTheInputOnly) {
  Random random;
  for (const Pool& p : kPools)
    for (int bits : {8, 4, 2}) {
      Bench b(p, bits, bits, 1, 1);
      const Values x = random.values(size_t{p.h} * p.w * p.c, bits);
      b.write(b.in, x);
      b.run(net::Family::max_pool, net::Contract::none, b.in, -1, b.out);
      const Values y = b.read(b.out);
      for_each_window(p, b.oh, b.ow, x, [&](size_t i, const Window& window) {
        ASSERT_EQ(y[i], *std::max_element(window.cells.begin(), window.cells.end()));
      });
    }
}

}  // namespace
}  // namespace mcusim::test
