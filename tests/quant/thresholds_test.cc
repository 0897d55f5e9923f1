// SPDX-License-Identifier: MIT
// Thresholds against icn-floor on random channels, for every accumulator that their
// weights and inputs can make (the packer's bound): the list as the contract counts
// it, the kernel's search through it, the kernel's icn-floor, and the floor in
// unlimited precision all give the same output.
#include "quant/quantise/thresholds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/host/accumulators.h"
#include "kernels/requant.h"
#include "quant/zoo/random.h"

namespace mcusim::quantise {
namespace {

// One output channel over `taps` inputs, the factor anything the format admits.
struct RandomChannel {
  IntTensor in, out;
  IntOp op;
  int64_t low = 0, high = 0;   // what the accumulator may be

  RandomChannel(zoo::Random& random, uint8_t out_bits) {
    in.bits = static_cast<uint8_t>(1 << random.integer(1, 3));
    in.zero_point = random.integer(0, (1 << in.bits) - 1);
    out.bits = out_bits;
    const int32_t top = (1 << out_bits) - 1;
    out.zero_point = random.integer(0, top);
    op.kind = net::OpKind::conv2d;
    op.contract = net::Contract::icn_floor;
    op.weight_bits = static_cast<uint8_t>(1 << random.integer(1, 3));
    const int32_t weight_top = (1 << op.weight_bits) - 1;
    for (int32_t taps = random.integer(1, 24); taps > 0; --taps)
      op.weights.push_back(static_cast<uint8_t>(random.integer(0, weight_top)));
    op.weight_zero_points = {random.integer(-weight_top / 2, weight_top + weight_top / 2)};
    op.act_min = random.integer(0, 3) ? 0 : random.integer(0, top);
    op.act_max = random.integer(0, 3) ? top : random.integer(op.act_min, top);
    int64_t least = 0, most = 0;
    for (const int64_t stored : op.weights) {
      const int64_t w = stored - op.weight_zero_points[0];
      const int64_t ends[] = {w * -in.zero_point, w * ((1 << in.bits) - 1 - in.zero_point)};
      least += std::min(ends[0], ends[1]);
      most += std::max(ends[0], ends[1]);
    }
    op.bias = {random.integer(static_cast<int32_t>(-most), static_cast<int32_t>(-least))};
    low = least + op.bias[0];
    high = most + op.bias[0];
    choose_factor(random, top);
    check_accumulators(op, in);
  }

  // Mostly one that spreads the outputs over the range of the accumulator.
  void choose_factor(zoo::Random& random, int32_t top) {
    const int32_t mantissa = random.integer(1 << 30, 0x7FFFFFFF);
    const int32_t odd[] = {0, 1, -1, 1 << 29, -0x7FFFFFFF - 1, 0x7FFFFFFF, -(1 << 30)};
    if (random.integer(0, 5) == 0) {
      op.mult = {odd[random.integer(0, 6)]};
      op.shift = {static_cast<int8_t>(random.integer(-128, 127))};
      return;
    }
    int shift = 0;
    for (int64_t span = high - low; span > top && shift > -40; span /= 2) --shift;
    op.mult = {random.integer(0, 1) ? mantissa : -mantissa};
    op.shift = {static_cast<int8_t>(shift + random.integer(0, 2))};
  }
};

// floor(acc * mult * 2^(shift - 31)), beyond +-2^60 limited.
int64_t exact_floor(int64_t acc, int32_t mult, int shift) {
  const __int128 product = static_cast<__int128>(acc) * mult;
  const int up = shift - 31;
  if (up <= 0) return static_cast<int64_t>(product >> std::min(-up, 120));
  constexpr __int128 kLimit = __int128{1} << 60;
  return static_cast<int64_t>(std::clamp<__int128>(product * (__int128{1} << std::min(up, 60)), -kLimit, kLimit));
}

template <int kOutBits>
void expect_equal_everywhere(const RandomChannel& channel) {
  const IntOp& op = channel.op;
  IntOp thresholds = op;
  to_thresholds(thresholds, channel.out);
  ASSERT_EQ(thresholds.thresholds.size(), (size_t{1} << kOutBits) - 1);
  const auto* list = reinterpret_cast<const uint8_t*>(thresholds.thresholds.data());
  const bool rising = thresholds.directions.at(0) != 0;

  // The parameters as a container holds them.
  net::Op stored{};
  std::vector<uint8_t> file(64);
  stored.mult_offset = 16;
  stored.shift_offset = 32;
  std::memcpy(file.data() + 16, &op.mult[0], 4);
  file[32] = static_cast<uint8_t>(op.shift[0]);
  const Channel icn = make_channel<net::Contract::icn_floor>(stored, file.data(), 0, 0);
  const Stage stage = {channel.out.zero_point, 0, (1 << kOutBits) - 1, false};

  for (int64_t acc = channel.low; acc <= channel.high; ++acc) {
    const int64_t want = std::clamp<int64_t>(channel.out.zero_point + exact_floor(acc, op.mult[0], op.shift[0]),
                                             op.act_min, op.act_max);
    int64_t counted = 0;
    for (const int32_t t : thresholds.thresholds) counted += rising ? acc > t : acc <= t;
    const auto value = static_cast<int32_t>(acc);
    ASSERT_EQ(counted, want) << acc << " m " << op.mult[0] << " 2^" << int{op.shift[0]};
    ASSERT_EQ(count_passed<kOutBits>(value, list, rising), want) << acc;
    const int64_t floored =
        requantise_one<net::Contract::icn_floor, kOutBits>(static_cast<uint32_t>(value), icn, stage, nullptr);
    ASSERT_EQ(std::clamp<int64_t>(floored, op.act_min, op.act_max), want) << acc;
  }
}

TEST(Thresholds, EqualIcnFloorForEveryAccumulatorInThePackersBound) {
  zoo::Random random(11);
  int64_t values = 0;
  int moving = 0;
  for (int i = 0; i < 300; ++i) {
    const bool wide = i % 2 == 0;
    const RandomChannel channel(random, wide ? 4 : 2);
    if (wide) expect_equal_everywhere<4>(channel);
    else expect_equal_everywhere<2>(channel);
    if (HasFatalFailure()) return;
    values += channel.high - channel.low + 1;
    moving += exact_floor(channel.low, channel.op.mult[0], channel.op.shift[0]) !=
              exact_floor(channel.high, channel.op.mult[0], channel.op.shift[0]);
  }
  EXPECT_GT(values, 10'000'000);
  EXPECT_GT(moving, 200) << "channels that change their level";
}

}  // namespace
}  // namespace mcusim::quantise
