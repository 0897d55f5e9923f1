// SPDX-License-Identifier: MIT
// Requantisation parameters from real numbers, and thresholds against the floor.
#include "quant/quantise/icn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "memmap/base/error.h"
#include "quant/quantise/thresholds.h"
#include "quant/zoo/random.h"

namespace mcusim::quantise {
namespace {

TEST(Multiplier, MantissaLiesInItsHalfAndRoundsUpIntoTheNext) {
  zoo::Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const double value = std::ldexp(random.real(-1, 1), random.integer(-60, 60));
    const Multiplier m = multiplier_of(value);
    EXPECT_GE(std::abs(int64_t{m.mult}), int64_t{1} << 30);
    EXPECT_EQ(m.mult < 0, value < 0);
    EXPECT_NEAR(value_of(m) / value, 1, 0x1p-31);
  }
  // The largest double below 1 rounds to 2^31, which does not fit.
  const Multiplier m = multiplier_of(std::nextafter(1.0, 0.0));
  EXPECT_EQ(m.mult, 1 << 30);
  EXPECT_EQ(m.shift, 1);
  EXPECT_EQ(multiplier_of(0).mult, 0);
  EXPECT_THROW(multiplier_of(0x1p128), Error);
  EXPECT_EQ(icn_floor(-1, multiplier_of(-0x1p-1000)), 0);
  EXPECT_EQ(icn_floor(1, multiplier_of(-0x1p-1000)), -1);
}

TEST(IcnFloor, EqualsTheFloorOfTheRealProduct) {
  zoo::Random random(2);
  for (int i = 0; i < 20000; ++i) {
    const auto acc = static_cast<int32_t>(random.next());
    const Multiplier m{static_cast<int32_t>(random.next()),
                       static_cast<int8_t>(random.integer(-128, 20))};
    // long double holds the 62-bit product and any power of two exactly.
    const long double exact =
        std::ldexp(static_cast<long double>(int64_t{acc} * m.mult), m.shift - 31);
    EXPECT_EQ(icn_floor(acc, m), static_cast<int64_t>(std::floor(exact)));
  }
}

// For every accumulator near a change of level and many others, by counting
// thresholds exactly as the contract says.
TEST(Thresholds, CountToTheSameOutputAsTheFloor) {
  zoo::Random random(3);
  for (int trial = 0; trial < 400; ++trial) {
    IntTensor out;
    out.bits = trial % 2 ? 4 : 2;
    out.c = 1;
    const int32_t top = (1 << out.bits) - 1;
    out.zero_point = random.integer(-2, top + 2);
    IntOp op;
    op.act_min = random.integer(0, 1);
    op.act_max = random.integer(op.act_min, top);
    const auto mantissa = static_cast<int32_t>(random.integer(1 << 30, 0x7FFFFFFF));
    const Multiplier m{trial % 17 == 0 ? 0 : trial % 3 ? mantissa : -mantissa,
                       static_cast<int8_t>(random.integer(-40, 8))};
    op.mult = {m.mult};
    op.shift = {m.shift};
    IntOp thresholds = op;
    to_thresholds(thresholds, out);
    ASSERT_EQ(thresholds.thresholds.size(), static_cast<size_t>(top));
    EXPECT_TRUE(thresholds.mult.empty());
    const auto check_at = [&](int64_t acc) {
      // The bound that the packer guarantees.
      if (acc <= std::numeric_limits<int32_t>::min() || acc > std::numeric_limits<int32_t>::max())
        return;
      int passed = 0;
      for (const int32_t t : thresholds.thresholds)
        passed += thresholds.directions[0] ? acc > t : acc <= t;
      ASSERT_EQ(passed, icn_output(acc, m, out.zero_point, op.act_min, op.act_max))
          << acc << " m " << m.mult << " 2^" << int{m.shift} << " z " << out.zero_point;
    };
    for (const int32_t t : thresholds.thresholds)
      for (int64_t near = -2; near <= 2; ++near) check_at(t + near);
    for (int i = 0; i < 200; ++i) check_at(static_cast<int32_t>(random.next()));
    for (int64_t acc = -300; acc < 300; ++acc) check_at(acc);
    check_at(std::numeric_limits<int32_t>::max());
    check_at(std::numeric_limits<int32_t>::min() + 1);
  }
}

}  // namespace
}  // namespace mcusim::quantise
