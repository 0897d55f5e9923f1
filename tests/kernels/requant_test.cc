// SPDX-License-Identifier: MIT
// Requantisation against oracles of unlimited precision, computed here from the text
// of docs/net_format.md: every INT8 N0, extreme and random INT32 M0 and accumulators,
// both paths; the tflite roundings step by step; thresholds equal to icn-floor.
#include "kernels/requant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace mcusim {
namespace {

using net::Contract;
using Wide = __int128;

constexpr int32_t kExtremes[] = {0,          1,           -1,         2,           255,
                                 -256,       32767,       -32768,     1 << 20,     -(1 << 20),
                                 1 << 30,    -(1 << 30),  INT32_MAX,  INT32_MIN,   INT32_MAX - 1,
                                 INT32_MIN + 1};

// floor(acc * m0 * 2^(n0 - 31)) limited to +-2^40, by long division by two.
int64_t floor_oracle(int64_t acc, int64_t m0, int n0) {
  constexpr Wide kLimit = Wide{1} << 40;
  Wide v = static_cast<Wide>(acc) * m0;
  for (int e = n0 - 31; e > 0; --e) {
    v *= 2;
    if (v > kLimit || v < -kLimit) break;
  }
  for (int e = n0 - 31; e < 0; ++e) v = (v - ((v % 2 + 2) % 2)) / 2;
  return static_cast<int64_t>(v > kLimit ? kLimit : v < -kLimit ? -kLimit : v);
}

int64_t clamp(int64_t v, int64_t low, int64_t high) { return v < low ? low : v > high ? high : v; }

// A one-channel layer's parameters as a container holds them.
struct Layer {
  net::Op op{};
  std::vector<uint8_t> file = std::vector<uint8_t>(256);

  Layer(int32_t mult, int shift) {
    op.mult_offset = 16;
    op.shift_offset = 32;
    std::memcpy(file.data() + 16, &mult, 4);
    file[32] = static_cast<uint8_t>(shift);
  }
};

template <int kOut>
void expect_icn(int32_t acc, int32_t m0, int n0, int zero) {
  Layer layer(m0, n0);
  layer.op.act_max = (1 << kOut) - 1;
  const Channel ch = make_channel<Contract::icn_floor>(layer.op, layer.file.data(), 0, 0);
  const Stage stage = {zero, 0, (1 << kOut) - 1, false};
  const auto y = requantise_one<Contract::icn_floor, kOut>(static_cast<uint32_t>(acc), ch, stage,
                                                           nullptr);
  ASSERT_EQ(y, clamp(floor_oracle(acc, m0, n0) + zero, 0, (1 << kOut) - 1))
      << "acc " << acc << " m0 " << m0 << " n0 " << n0 << " zero " << zero;
}

TEST(Requant, IcnFloorForEveryShiftAndExtremeOperands) {
  for (int n0 = -128; n0 <= 127; ++n0)
    for (int32_t m0 : kExtremes)
      for (int32_t acc : kExtremes) {
        expect_icn<8>(acc, m0, n0, 0);
        expect_icn<8>(acc, m0, n0, 255);
        expect_icn<2>(acc, m0, n0, 1);
      }
}

TEST(Requant, IcnFloorForRandomOperands) {
  std::mt19937 random(3);
  for (int i = 0; i < 400000; ++i) {
    const int n0 = static_cast<int>(random() % 256) - 128;
    const int32_t m0 = static_cast<int32_t>(random()) >> (random() % 32);
    const int32_t acc = static_cast<int32_t>(random()) >> (random() % 32);
    expect_icn<8>(acc, m0, n0, static_cast<int>(random() % 256));
    expect_icn<4>(acc, m0, n0, static_cast<int>(random() % 16));
  }
}

// The contract, step by step.
int64_t srdhm(int64_t a, int64_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<int64_t>((product + (product >= 0 ? Wide{1} << 30 : 1 - (Wide{1} << 30))) /
                              (Wide{1} << 31));
}
int64_t rdpot(int64_t x, int e) {
  const int64_t mask = (int64_t{1} << e) - 1;
  return (x >> e) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}

void expect_tflite(int32_t acc, int32_t mult, int shift, int zero, int low, int high) {
  Layer layer(mult, shift);
  const Channel ch = make_channel<Contract::tflite>(layer.op, layer.file.data(), 0, 0);
  const Stage stage = {zero, static_cast<uint32_t>(low), static_cast<uint32_t>(high),
                       low > 0 || high < 255};
  const auto y =
      requantise_one<Contract::tflite, 8>(static_cast<uint32_t>(acc), ch, stage, nullptr);
  const int left = shift > 0 ? shift : 0, right = shift < 0 ? -shift : 0;
  const int64_t value = rdpot(srdhm(int64_t{acc} * (int64_t{1} << left), mult), right) + zero;
  ASSERT_EQ(y, clamp(value, low, high))
      << "acc " << acc << " mult " << mult << " shift " << shift << " zero " << zero;
}

TEST(Requant, TfliteForEveryShift) {
  std::mt19937 random(4);
  const int32_t mults[] = {0, 1 << 30, (1 << 30) + 1, INT32_MAX, INT32_MAX - 1, 1518500249};
  for (int shift = -31; shift <= 30; ++shift)
    for (int32_t mult : mults) {
      for (int32_t acc : kExtremes) {
        if (shift > 0 && std::abs(int64_t{acc}) >= int64_t{1} << (31 - shift)) continue;
        for (int zero : {0, 3, 128, 255}) expect_tflite(acc, mult, shift, zero, 0, 255);
        expect_tflite(acc, mult, shift, 100, 100, 200);
      }
      for (int i = 0; i < 300; ++i) {
        const int spare = (static_cast<int>(random() % 31) + (shift > 0 ? shift : 0)) % 32;
        const int32_t acc = static_cast<int32_t>(random()) >> spare;
        if (std::abs(int64_t{acc}) >= int64_t{1} << (31 - (shift > 0 ? shift : 0))) continue;
        expect_tflite(acc, mult, shift, static_cast<int>(random() % 256), 0, 255);
      }
    }
}

// Ties of both roundings, where implementations disagree.
TEST(Requant, TfliteTies) {
  for (int shift = -20; shift <= 0; ++shift)
    for (int k = -600; k <= 600; ++k) {
      const int64_t acc = int64_t{k} << (-shift > 0 ? -shift - 1 : 0);
      for (int64_t near : {acc - 1, acc, acc + 1})
        if (near == static_cast<int32_t>(near))
          expect_tflite(static_cast<int32_t>(near), 1 << 30, shift, 128, 0, 255);
    }
}

// Thresholds taken from icn-floor by search give the same outputs for every
// accumulator of a bound, both directions, M0 = 0 included.
template <int kOut>
void expect_thresholds_equal(std::mt19937& random) {
  constexpr int kLevels = (1 << kOut) - 1;
  constexpr int32_t kBound = 3000;
  const int zero = static_cast<int>(random() % (kLevels + 1));
  int32_t m0 = (1 << 30) + static_cast<int32_t>(random() % (1u << 30));
  if (random() % 2) m0 = -m0;
  if (random() % 8 == 0) m0 = 0;
  const int n0 = -6 - static_cast<int>(random() % 6);
  const auto icn = [&](int32_t acc) {
    return clamp(floor_oracle(acc, m0, n0) + zero, 0, kLevels);
  };
  std::vector<int32_t> thresholds;
  const bool rising = m0 >= 0;
  for (int k = 1; k <= kLevels; ++k) {
    // Rising: passed if acc > T, T the last value below k. Falling: acc <= T.
    int32_t t = rising ? INT32_MAX : INT32_MIN;
    if (m0 == 0) {
      t = icn(0) >= k ? INT32_MIN : INT32_MAX;
    } else {
      for (int32_t acc = -kBound; acc <= kBound; ++acc) {
        if (rising && icn(acc) >= k) {
          t = acc == -kBound ? INT32_MIN : acc - 1;
          break;
        }
        if (!rising && icn(acc) >= k) t = acc;
      }
    }
    thresholds.push_back(t);
  }
  Channel ch = {0, 0, 0, rising ? 1 : 0};
  const Stage stage = {zero, 0, kLevels, false};
  for (int32_t acc = -kBound; acc <= kBound; ++acc) {
    const auto y = requantise_one<Contract::thresholds, kOut>(
        static_cast<uint32_t>(acc), ch, stage, reinterpret_cast<const uint8_t*>(thresholds.data()));
    ASSERT_EQ(y, icn(acc)) << "acc " << acc << " m0 " << m0 << " n0 " << n0 << " zero " << zero;
  }
}

TEST(Requant, ThresholdsEqualIcnFloorForEveryAccumulator) {
  std::mt19937 random(5);
  for (int i = 0; i < 100; ++i) {
    expect_thresholds_equal<4>(random);
    expect_thresholds_equal<2>(random);
  }
}

// The count itself, against counting one by one, at the ends of the range.
TEST(Requant, ThresholdCountAtTheEnds) {
  std::mt19937 random(6);
  for (int i = 0; i < 3000; ++i) {
    std::vector<int32_t> t;
    for (int k = 0; k < 15; ++k)
      t.push_back(random() % 4 ? static_cast<int32_t>(random()) >> (random() % 32)
                               : random() % 2 ? INT32_MAX : INT32_MIN);
    const bool rising = random() % 2;
    std::sort(t.begin(), t.end());
    if (!rising) std::reverse(t.begin(), t.end());
    for (int32_t acc : kExtremes) {
      uint32_t expected = 0;
      for (int32_t limit : t) expected += rising ? acc > limit : acc <= limit;
      ASSERT_EQ(count_passed<4>(acc, reinterpret_cast<const uint8_t*>(t.data()), rising), expected);
    }
  }
}

}  // namespace
}  // namespace mcusim
