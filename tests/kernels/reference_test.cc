// SPDX-License-Identifier: MIT
// The naive twin judged by values worked out by hand from the contracts: floors
// below zero, ties, the ends of both ranges, every rounding of the tflite section.
#include "kernels/reference/reference.h"

#include <gtest/gtest.h>

#include <limits>

namespace mcusim {
namespace {

using net::Contract;
using net::OpKind;
using reference::Values;

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();

// A fully connected operator of one input value and one weight, so that the
// accumulator is bias + (x - zx)(w - zw).
struct OneProduct {
  IntNet net;
  IntOp op;

  explicit OneProduct(Contract contract, uint8_t out_bits = 8, int32_t zero_out = 0) {
    net.tensors.resize(2);
    net.tensors[1].bits = out_bits;
    net.tensors[1].zero_point = zero_out;
    op.kind = OpKind::fully_connected;
    op.contract = contract;
    op.in0 = 0;
    op.out = 1;
    op.weight_bits = 8;
    op.weights = {1};
    op.weight_zero_points = {0};
    op.bias = {0};
  }

  int run(int32_t bias, int32_t mult, int shift, uint8_t x = 0) {
    op.bias = {bias};
    op.mult = {mult};
    op.shift = {static_cast<int8_t>(shift)};
    return reference::run_op(net, op, {x}, {})[0];
  }
};

TEST(Reference, ProductSubtractsBothZeroPoints) {
  OneProduct one(Contract::icn_floor);
  one.net.tensors[0].zero_point = 10;
  one.op.weights = {3};
  one.op.weight_zero_points = {-300};
  // (12 - 10) * (3 + 300) = 606; times 2^30 * 2^(0 - 31) = 1/2.
  EXPECT_EQ(one.run(-500, 1 << 30, 0, 12), (606 - 500) / 2);
}

TEST(Reference, IcnIsTheFloorAlsoBelowZero) {
  OneProduct one(Contract::icn_floor, 8, 100);
  EXPECT_EQ(one.run(7, 1 << 30, 0), 100 + 3);     // 3.5
  EXPECT_EQ(one.run(-7, 1 << 30, 0), 100 - 4);    // -3.5
  EXPECT_EQ(one.run(7, -(1 << 30), 0), 100 - 4);
  EXPECT_EQ(one.run(-1, 1 << 30, -128), 100 - 1);  // just below 0
  EXPECT_EQ(one.run(1, 1 << 30, -128), 100);
  EXPECT_EQ(one.run(kLargest, kLargest, -31), 100 + 0);  // (2^31-1)^2 / 2^62 < 1
  EXPECT_EQ(one.run(kLeast, kLeast, -31), 100 + 1);      // 2^62 / 2^62
  EXPECT_EQ(one.run(kLeast, kLargest, -31), 100 - 1);
}

TEST(Reference, IcnSaturatesWithHugeLeftShifts) {
  OneProduct one(Contract::icn_floor, 4, 3);
  EXPECT_EQ(one.run(1, 1 << 30, 127), 15);
  EXPECT_EQ(one.run(-1, 1 << 30, 127), 0);
  EXPECT_EQ(one.run(1, 1, 127), 15);
  EXPECT_EQ(one.run(0, kLargest, 127), 3);
  EXPECT_EQ(one.run(kLargest, 0, 127), 3);
  EXPECT_EQ(one.run(1, 1, 33), 3 + 4);   // 2^2
  EXPECT_EQ(one.run(3, -1, 31), 0);      // -3
  EXPECT_EQ(one.run(2, -1, 31), 1);      // -2
}

TEST(Reference, AccumulatorIsTakenModuloTwoToTheThirtyTwo) {
  OneProduct one(Contract::icn_floor, 8, 50);
  one.op.weights = {255};
  // 255 * 255 + kLargest wraps to kLeast + 65024.
  EXPECT_EQ(one.run(kLargest, 1 << 30, -25, 255), 50 - 32);
}

TEST(Reference, ThresholdsCountWhatIsPassed) {
  OneProduct one(Contract::thresholds, 2);
  one.op.thresholds = {-5, 0, 9};
  one.op.directions = {1};
  const auto rising = [&](int32_t acc) { return one.run(acc, 0, 0); };
  EXPECT_EQ(rising(-5), 0);
  EXPECT_EQ(rising(-4), 1);
  EXPECT_EQ(rising(0), 1);
  EXPECT_EQ(rising(9), 2);
  EXPECT_EQ(rising(10), 3);
  one.op.thresholds = {kLargest, 4, kLeast};
  one.op.directions = {0};
  EXPECT_EQ(one.run(5, 0, 0), 1);     // INT32_MAX always, INT32_MIN never
  EXPECT_EQ(one.run(4, 0, 0), 2);
  EXPECT_EQ(one.run(-100, 0, 0), 2);
}

TEST(Reference, TfliteRoundsTwice) {
  OneProduct one(Contract::tflite, 8, 128);
  // m = 1/2: SRDHM(a, 2^30) = round half up of a/2, for negatives as well:
  // (-3 * 2^30 + 1 - 2^30) / 2^31 truncated = -1.
  EXPECT_EQ(one.run(3, 1 << 30, 0), 128 + 2);
  EXPECT_EQ(one.run(-3, 1 << 30, 0), 128 - 1);
  EXPECT_EQ(one.run(5, 1 << 30, 0), 128 + 3);
  // m = 1/8: SRDHM gives 3 for 5 and 6, RDPOT(3, 2) = round(0.75).
  EXPECT_EQ(one.run(5, 1 << 30, -2), 128 + 1);
  // RDPOT rounds half away from zero: 2/4 up, -2/4 down.
  EXPECT_EQ(one.run(4, 1 << 30, -2), 128 + 1);
  EXPECT_EQ(one.run(-4, 1 << 30, -2), 128 - 1);
  EXPECT_EQ(one.run(-3, 1 << 30, -2), 128 + 0);  // -1/4
  // Left shift: 3 * 2^4 * 1/2.
  EXPECT_EQ(one.run(3, 1 << 30, 4), 128 + 24);
  EXPECT_EQ(one.run(1000, 0, 0), 128);
  one.op.act_min = 120;
  one.op.act_max = 130;
  EXPECT_EQ(one.run(1000, 1 << 30, 0), 130);
  EXPECT_EQ(one.run(-1000, 1 << 30, 0), 120);
}

// A pool over a row of cells.
int average(const Values& cells, Contract contract, int32_t mult, int shift, bool half_step,
            int32_t zero_in = 0, int32_t zero_out = 0) {
  IntNet net;
  net.tensors.resize(2);
  net.tensors[0].w = static_cast<uint32_t>(cells.size());
  net.tensors[0].zero_point = zero_in;
  net.tensors[1].zero_point = zero_out;
  IntOp op;
  op.kind = OpKind::avg_pool;
  op.contract = contract;
  op.in0 = 0;
  op.out = 1;
  op.kernel_w = static_cast<uint32_t>(cells.size());
  op.scalar_mult[0] = mult;
  op.scalar_shift[0] = static_cast<int8_t>(shift);
  op.half_step = half_step;
  return reference::run_op(net, op, cells, {})[0];
}

TEST(Reference, AveragePools) {
  // icn with multiplier 1 (2^30 * 2^(1-31)): the floor of the mean.
  EXPECT_EQ(average({1, 2, 2}, Contract::icn_floor, 1 << 30, 1, false), 1);
  EXPECT_EQ(average({1, 2, 2}, Contract::icn_floor, 1 << 30, 1, true), 2);
  EXPECT_EQ(average({1, 2}, Contract::icn_floor, 1 << 30, 1, true), 2);      // 1.5 + 0.5
  EXPECT_EQ(average({1, 2}, Contract::icn_floor, 1 << 30, 1, false, 4, 9), 9 - 3);  // -2.5
  EXPECT_EQ(average({1, 2}, Contract::icn_floor, 1 << 30, 1, true, 4, 9), 9 - 2);
  EXPECT_EQ(average({9, 9}, Contract::icn_floor, 1 << 30, -128, true, 4, 9), 9);
  // tflite, equal scales: int8 values -1 and -2 give -1.5, away from zero -2.
  EXPECT_EQ(average({127, 126}, Contract::tflite, 0, 0, false), 126);
  EXPECT_EQ(average({129, 130}, Contract::tflite, 0, 0, false), 130);
  EXPECT_EQ(average({127, 127, 126}, Contract::tflite, 0, 0, false), 127);   // -4/3
  // Unequal scales: (7 + 8 - 2*5) * 1/2.
  EXPECT_EQ(average({7, 8}, Contract::tflite, 1 << 30, 0, false, 5, 100), 103);
}

TEST(Reference, AddOfBothContracts) {
  IntNet net;
  net.tensors.resize(3);
  net.tensors[0].zero_point = 10;
  net.tensors[1].zero_point = 20;
  net.tensors[2].zero_point = 100;
  IntOp op;
  op.kind = OpKind::add;
  op.in0 = 0;
  op.in1 = 1;
  op.out = 2;
  const auto run = [&](uint8_t a, uint8_t b) { return int{reference::run_op(net, op, {a}, {b})[0]}; };
  op.scalar_mult[0] = 3;
  op.scalar_mult[1] = -5;
  op.scalar_shift[2] = 30;  // halves the sum
  EXPECT_EQ(run(13, 21), 100 + 2);   // (9 - 5) / 2
  EXPECT_EQ(run(12, 21), 100 + 0);   // 1/2
  EXPECT_EQ(run(11, 21), 100 - 1);   // -2/2
  EXPECT_EQ(run(12, 22), 100 - 2);   // -4/2
  EXPECT_EQ(run(10, 21), 100 - 3);   // -5/2
  op.half_step = true;
  EXPECT_EQ(run(10, 21), 100 - 2);
  // tflite, all scales 1: inputs times 1/2, output times 2 / 2^20.
  op.half_step = false;
  op.contract = Contract::tflite;
  op.scalar_mult[0] = op.scalar_mult[1] = op.scalar_mult[2] = 1 << 30;
  op.scalar_shift[0] = op.scalar_shift[1] = 0;
  op.scalar_shift[2] = -18;
  EXPECT_EQ(run(13, 27), 100 + 3 + 7);
  EXPECT_EQ(run(0, 0), 100 - 10 - 20);
}

TEST(Reference, MaxPoolAndPadLeaveCellsOutsideAlone) {
  IntNet net;
  net.tensors.resize(2);
  net.tensors[0].w = 2;
  net.tensors[0].zero_point = net.tensors[1].zero_point = 200;
  net.tensors[1].w = 3;
  IntOp op;
  op.contract = Contract::none;
  op.in0 = 0;
  op.out = 1;
  op.kind = OpKind::max_pool;
  op.kernel_w = 2;
  op.pad_left = op.pad_right = 1;
  EXPECT_EQ(reference::run_op(net, op, {5, 3}, {}), (Values{5, 5, 3}));
  op.kind = OpKind::pad;
  op.kernel_w = 1;
  op.pad_right = 0;
  EXPECT_EQ(reference::run_op(net, op, {5, 3}, {}), (Values{200, 5, 3}));
}

}  // namespace
}  // namespace mcusim
