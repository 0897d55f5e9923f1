// SPDX-License-Identifier: MIT
#include "tests/support/op_parameters.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mcusim::testing {
namespace {

using net::Contract;
using net::OpKind;

constexpr int64_t kBound = (int64_t{1} << 31) - 1;  // of |Phi + Bq|

// real = mult * 2^(shift - 31) with |mult| in [2^30, 2^31).
struct Factor {
  int32_t mult = 0;
  int8_t shift = 0;
};
Factor factor(double real) {
  int exponent = 0;
  int64_t mult = std::llround(std::frexp(real, &exponent) * 2147483648.0);
  if (std::abs(mult) == int64_t{1} << 31) {
    mult /= 2;
    ++exponent;
  }
  return {static_cast<int32_t>(mult), static_cast<int8_t>(exponent)};
}

// Anything the format admits, the ends of both ranges included.
Factor extreme_factor(Random& random) {
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
  const int32_t mults[] = {0, 1, -1, kLeast, std::numeric_limits<int32_t>::max(), 1 << 30, -(1 << 30),
                           static_cast<int32_t>(random.in(kLeast, -int64_t{kLeast} - 1))};
  const int8_t shifts[] = {-128, 127, -31, 0, 31, 32, static_cast<int8_t>(random.in(-128, 127))};
  return {mults[random.in(0, 7)], shifts[random.in(0, 6)]};
}

// Weights, zero points, biases and requantisation with outputs that spread over
// the range in most channels.
class WeightMaker {
 public:
  WeightMaker(IntOp& op, const IntTensor& in, const IntTensor& out, Random& random,
              const OpWish& wish)
      : op_(op), in_(in), out_(out), random_(random), wish_(wish) {
    taps_ = op.kind == OpKind::fully_connected ? uint64_t{in.h} * in.w * in.c
            : op.kind == OpKind::depthwise     ? uint64_t{op.kernel_h} * op.kernel_w
                                               : uint64_t{op.kernel_h} * op.kernel_w * in.c;
  }

  void make() {
    make_weights();
    make_zero_points();
    const bool one_factor = random_.coin(4);
    for (uint32_t c = 0; c < out_.c; ++c) make_channel(c, one_factor);
  }

 private:
  void make_weights() {
    op_.weights.resize(taps_ * out_.c);
    const int64_t top = most(op_.weight_bits);
    const int style = static_cast<int>(random_.in(0, 9));
    for (uint8_t& w : op_.weights)
      w = static_cast<uint8_t>(style == 0 ? top : style == 1 ? 0 : random_.in(0, top));
  }

  void make_zero_points() {
    const bool per_channel = wish_.per_channel && (!wish_.per_layer || random_.coin());
    const int64_t room = (int64_t{1} << 30) / (static_cast<int64_t>(taps_) * most(in_.bits));
    const int64_t far = std::min<int64_t>(32512, room - most(op_.weight_bits));
    op_.weight_zero_points.resize(per_channel ? out_.c : 1);
    for (int32_t& zero : op_.weight_zero_points) {
      zero = static_cast<int32_t>(random_.in(0, most(op_.weight_bits)));
      if (random_.coin(4)) zero = static_cast<int32_t>(random_.in(-300, 300));
      if (random_.coin(16)) zero = static_cast<int32_t>(random_.coin() ? far : -far);
      zero = static_cast<int32_t>(std::clamp<int64_t>(zero, -std::max<int64_t>(far, 0),
                                                      std::max<int64_t>(far, 0)));
    }
  }

  uint8_t weight(uint32_t c, uint64_t k) const {
    return op_.kind == OpKind::depthwise ? op_.weights[k * out_.c + c] : op_.weights[c * taps_ + k];
  }

  void make_channel(uint32_t c, bool one_factor) {
    const int64_t zero = op_.weight_zero_points[op_.weight_zero_points.size() == 1 ? 0 : c];
    const int64_t low = -in_.zero_point, high = most(in_.bits) - in_.zero_point;
    int64_t least = 0, largest = 0, sum = 0;
    double energy = 1;
    for (uint64_t k = 0; k < taps_; ++k) {
      const int64_t w = weight(c, k) - zero;
      // A padding cell contributes 0.
      least += std::min({low * w, high * w, int64_t{0}});
      largest += std::max({low * w, high * w, int64_t{0}});
      sum += w;
      energy += static_cast<double>(w) * static_cast<double>(w);
    }
    // Standard deviation and mean of Phi for inputs of equal likelihood.
    const double sigma = std::sqrt(energy) * static_cast<double>(most(in_.bits)) / 3.5;
    const double mean = static_cast<double>(sum) * static_cast<double>(low + high) / 2;
    const double top = static_cast<double>(most(out_.bits));
    const double swing = static_cast<double>(random_.in(-100, 100)) / 100 * sigma;
    const bool shared = one_factor && c > 0;
    double real = top / sigma * static_cast<double>(random_.in(10, 100)) / 200;
    if (op_.contract == Contract::icn_floor && random_.coin(3)) real = -real;
    if (shared && op_.contract != Contract::thresholds)
      real = std::ldexp(op_.mult[0], op_.shift[0] - 31);
    // Puts the mean output at the middle of its range.
    double aim = op_.contract == Contract::thresholds ? 0 : (top / 2 - out_.zero_point) / real;
    if (!std::isfinite(aim)) aim = 0;
    const double wanted = std::clamp(aim - mean + swing, -2e9, 2e9);
    const int64_t bias = std::clamp<int64_t>(std::llround(wanted), -kBound - least, kBound - largest);
    op_.bias.push_back(static_cast<int32_t>(bias));
    const int64_t bound = std::max(largest + bias, -(least + bias)) + 1;
    if (op_.contract == Contract::thresholds) return make_thresholds(sigma);
    // A shared shift must keep every channel's accumulator in 32 bits.
    if (shared && op_.contract == Contract::tflite) limit_shift(op_.shift[0], bound);
    if (shared) return;
    Factor f = factor(real);
    if (op_.contract == Contract::icn_floor) {
      if (random_.coin(8)) f = extreme_factor(random_);
    } else {
      if (random_.coin(10)) f = {0, 0};
      if (random_.coin(10)) f.shift = static_cast<int8_t>(random_.in(-31, 30));
      limit_shift(f.shift, bound);
    }
    op_.mult.push_back(f.mult);
    op_.shift.push_back(f.shift);
  }

  // |acc| * 2^shift < 2^31, and room for the zero point behind it.
  static void limit_shift(int8_t& shift, int64_t bound) {
    while (shift > -1 && (shift > 0 ? bound << shift : bound) > kBound - 256) --shift;
    shift = std::max<int8_t>(shift, -31);
  }

  void make_thresholds(double sigma) {
    const uint8_t direction = random_.coin() ? 1 : 0;
    std::vector<int32_t> list;
    for (int64_t k = 0; k < most(out_.bits); ++k) {
      const auto reach = static_cast<int64_t>(sigma * 2) + 1;
      list.push_back(static_cast<int32_t>(std::clamp<int64_t>(random_.in(-reach, reach), -kBound, kBound)));
    }
    if (random_.coin(8)) list.back() = std::numeric_limits<int32_t>::max();
    if (random_.coin(8)) list.front() = std::numeric_limits<int32_t>::min();
    std::ranges::sort(list);
    if (!direction) std::ranges::reverse(list);
    op_.directions.push_back(direction);
    op_.thresholds.insert(op_.thresholds.end(), list.begin(), list.end());
  }

  IntOp& op_;
  const IntTensor& in_;
  const IntTensor& out_;
  Random& random_;
  const OpWish& wish_;
  uint64_t taps_ = 0;
};

}  // namespace

void make_weights(IntOp& op, const IntTensor& in, const IntTensor& out, Random& random,
                  const OpWish& wish) {
  WeightMaker(op, in, out, random, wish).make();
}

void make_avg_pool(IntOp& op, const IntTensor& in, const IntTensor& out, Random& random) {
  const double ratio = static_cast<double>(random.in(50, 200)) / 100;
  if (op.contract == Contract::icn_floor) {
    Factor f = factor(ratio * static_cast<double>(most(out.bits)) / static_cast<double>(most(in.bits)));
    if (random.coin(5)) f.mult = -f.mult;
    if (random.coin(5)) f = extreme_factor(random);
    op.scalar_mult[0] = f.mult;
    op.scalar_shift[0] = f.shift;
    return;
  }
  if (random.coin() || op.pad_top + op.pad_left + op.pad_bottom + op.pad_right > 0) return;
  const Factor f = factor(ratio / (op.kernel_h * op.kernel_w));
  op.scalar_mult[0] = f.mult;
  op.scalar_shift[0] = f.shift;
}

void make_add(IntOp& op, const IntTensor& in0, const IntTensor& in1, const IntTensor& out,
              Random& random) {
  const auto set = [&](int i, Factor f) {
    op.scalar_mult[i] = f.mult;
    op.scalar_shift[i] = f.shift;
  };
  if (op.contract == Contract::tflite) {
    const double s0 = static_cast<double>(random.in(1, 999)), s1 = static_cast<double>(random.in(1, 999));
    const double sy = static_cast<double>(random.in(300, 2000)), twice = 2 * std::max(s0, s1);
    set(0, factor(s0 / twice));
    set(1, factor(s1 / twice));
    set(2, factor(twice / (1048576.0 * sy)));
    return;
  }
  const auto share = [&](const IntTensor& in) {
    const double level = static_cast<double>(most(out.bits)) / static_cast<double>(most(in.bits));
    return level * static_cast<double>(random.in(-100, 200)) / 200 * 1073741824.0 / 256;
  };
  op.scalar_mult[0] = static_cast<int32_t>(share(in0));
  op.scalar_mult[1] = static_cast<int32_t>(share(in1));
  op.scalar_shift[2] = 9;  // share() is in units of 2^-22
  if (random.coin(5)) {
    op.scalar_mult[0] = extreme_factor(random).mult;
    op.scalar_shift[2] = extreme_factor(random).shift;
  }
  if (random.coin(10)) op.scalar_mult[1] = extreme_factor(random).mult;
}

}  // namespace mcusim::testing
