// SPDX-License-Identifier: MIT
// Each defect found in CMix-NN 1.0.0, the papers' released library, as a network
// that would show it here. Depthwise has its own in depthwise_test.cc.
#include "tests/support/run_both.h"

namespace mcusim {
namespace {

using net::Contract;
using net::Family;
using testing::Random;

// Networks of one row until `wanted` accepts the count asked for.
template <typename Wanted>
void expect_equal_where(RowKey key, int count, Wanted wanted) {
  Random random(key.in_bits * 100u + key.weight_bits * 10u + key.out_bits);
  for (int tries = 0; count > 0 && tries < 20000; ++tries) {
    const IntNet net = testing::random_op(key, random);
    if (!wanted(net.tensors[net.ops[0].in0], net.ops[0], net.tensors[net.ops[0].out])) continue;
    testing::expect_equal_to_twin(net, random);
    --count;
  }
  EXPECT_EQ(count, 0) << "too few networks of the kind";
}

constexpr uint8_t kWidths[] = {8, 4, 2};

TEST(KnownDefects, TwoBitOutputWithAnOddNumberOfPixelsKeepsEveryChannel) {
  for (const Family family : {Family::conv, Family::pointwise})
    for (const uint8_t w : kWidths)
      expect_equal_where({family, 8, w, 2, Contract::icn_floor}, 8,
                         [](const IntTensor&, const IntOp&, const IntTensor& out) {
                           return out.h * out.w % 2 == 1 && out.h * out.w > 1 && out.c > 4;
                         });
}

TEST(KnownDefects, RowLengthsThatFillNoWordLoseNoTail) {
  for (const uint8_t in : kWidths)
    for (const uint8_t w : kWidths)
      expect_equal_where({Family::conv, in, w, 8, Contract::icn_floor}, 8,
                         [](const IntTensor& t, const IntOp& op, const IntTensor&) {
                           return t.c * op.kernel_h * op.kernel_w % 4 != 0;
                         });
}

TEST(KnownDefects, TheLastPixelAloneUsesFullWidthColumnsAndZeroPoints) {
  expect_equal_where({Family::pointwise, 8, 8, 8, Contract::icn_floor}, 8,
                     [](const IntTensor&, const IntOp& op, const IntTensor& out) {
                       return out.h * out.w % 4 == 1 &&
                              std::ranges::any_of(op.weight_zero_points,
                                                  [](int32_t z) { return z < 0 || z > 255; });
                     });
}

TEST(KnownDefects, UnequalPaddingOfEachSideWithANonZeroZeroPoint) {
  for (const uint8_t in : kWidths)
    expect_equal_where({Family::conv, in, 8, 8, Contract::icn_floor}, 8,
                       [](const IntTensor& t, const IntOp& op, const IntTensor&) {
                         return op.pad_top != op.pad_left && op.pad_bottom != op.pad_right &&
                                op.kernel_h != op.kernel_w && t.h != t.w && t.zero_point != 0;
                       });
}

TEST(KnownDefects, PerChannelZeroPointsBeyondEightBits) {
  for (const Family family : {Family::conv, Family::pointwise, Family::depthwise,
                              Family::fully_connected})
    for (const uint8_t w : kWidths)
      expect_equal_where({family, 8, w, 8, Contract::icn_floor}, 6,
                         [](const IntTensor&, const IntOp& op, const IntTensor&) {
                           return op.weight_zero_points.size() > 1 &&
                                  std::ranges::any_of(op.weight_zero_points, [](int32_t z) {
                                    return z > 1000 || z < -1000;
                                  });
                         });
}

TEST(KnownDefects, ShiftsBeyondThirtyOneAndDeadChannels) {
  expect_equal_where({Family::conv, 8, 8, 8, Contract::icn_floor}, 8,
                     [](const IntTensor&, const IntOp& op, const IntTensor&) {
                       return std::ranges::any_of(op.shift, [](int s) { return s < -40; }) &&
                              std::ranges::count(op.mult, 0) > 0;
                     });
}

}  // namespace
}  // namespace mcusim
