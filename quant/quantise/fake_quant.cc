// SPDX-License-Identifier: MIT
#include "quant/quantise/fake_quant.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "memmap/base/error.h"

namespace mcusim::quantise {
namespace {

using net::OpKind;
using Stored = std::vector<uint8_t>;

// Calls cell(tap, input channels) for every tap of the window that lies inside.
template <typename Cell>
void for_window(const IntOp& op, const IntTensor& in, const Stored& x, uint32_t row, uint32_t column,
                Cell cell) {
  for (uint32_t ky = 0; ky < op.kernel_h; ++ky)
    for (uint32_t kx = 0; kx < op.kernel_w; ++kx) {
      const int64_t y = int64_t{row} * op.stride_h + ky - op.pad_top;
      const int64_t z = int64_t{column} * op.stride_w + kx - op.pad_left;
      if (y < 0 || z < 0 || y >= in.h || z >= in.w) continue;
      cell(size_t{ky} * op.kernel_w + kx,
           &x[(static_cast<size_t>(y) * in.w + static_cast<size_t>(z)) * in.c]);
    }
}

int32_t zero_of(const IntOp& op, size_t channel) {
  return op.weight_zero_points[op.weight_zero_points.size() == 1 ? 0 : channel];
}

// sum (x - zx)(w - zw) of one output; exact, so that real sums are exact products of it.
int64_t weighted_sum(const IntOp& op, const IntTensor& in, const Stored& x, uint32_t row,
                     uint32_t column, uint32_t c, uint32_t channels) {
  const int32_t zx = in.zero_point, zw = zero_of(op, c);
  const auto product = [&](const uint8_t* values, const uint8_t* weights, size_t count) {
    int64_t sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (values[i] - zx) * (weights[i] - zw);
    return sum;
  };
  if (op.kind == OpKind::fully_connected)
    return product(x.data(), &op.weights[c * x.size()], x.size());
  int64_t sum = 0;
  const size_t taps = size_t{op.kernel_h} * op.kernel_w;
  for_window(op, in, x, row, column, [&](size_t tap, const uint8_t* values) {
    sum += op.kind == OpKind::depthwise
               ? product(values + c, &op.weights[tap * channels + c], 1)
               : product(values, &op.weights[(c * taps + tap) * in.c], in.c);
  });
  return sum;
}

class Quantiser {
 public:
  Quantiser(const IntOp& op, const IntTensor& out) : op_(op), out_(out) {}

  int32_t stored(double steps, bool rounds) const {
    const double floored = std::floor(steps + (rounds ? 0.5 : 0.0)) + out_.zero_point;
    return static_cast<int32_t>(std::clamp<double>(floored, op_.act_min, op_.act_max));
  }

 private:
  const IntOp& op_;
  const IntTensor& out_;
};

int32_t weighted_value(const IntOp& op, const IntTensor& in, const IntTensor& out,
                       const RealChannels& real, size_t channel, int64_t sum, BiasGrid grid) {
  const Quantiser quantiser(op, out);
  // Of one accumulator unit, in output steps.
  const double unit = static_cast<double>(in.scale) * real.weight_scale[channel] *
                      real.gain[channel] / out.scale;
  const double addend = real.addend[channel] / out.scale;
  if (grid == BiasGrid::real || unit == 0)
    return quantiser.stored(static_cast<double>(sum) * unit + addend, op.half_step);
  const double bias = std::nearbyint(addend / unit + (op.half_step ? 0.5 / unit : 0.0));
  return quantiser.stored((static_cast<double>(sum) + bias) * unit, false);
}

}  // namespace

std::vector<int32_t> fake_quantised(const IntNet& net, const IntOp& op, const RealChannels& real,
                                    const Stored& in0, const Stored& in1, BiasGrid grid) {
  const IntTensor& in = net.tensors[static_cast<size_t>(op.in0)];
  const IntTensor& out = net.tensors[static_cast<size_t>(op.out)];
  if (op.contract == net::Contract::none) return {};
  check(op.contract != net::Contract::tflite, "fake quantisation of icn-floor");
  const Quantiser quantiser(op, out);
  const double ratio = static_cast<double>(in.scale) / out.scale;
  std::vector<int32_t> result;
  for (uint32_t row = 0; row < out.h; ++row)
    for (uint32_t column = 0; column < out.w; ++column)
      for (uint32_t c = 0; c < out.c; ++c) {
        if (!op.weights.empty()) {
          result.push_back(weighted_value(op, in, out, real, out.origin_c + c,
                                          weighted_sum(op, in, in0, row, column, c, out.c), grid));
        } else if (op.kind == OpKind::avg_pool) {
          int64_t sum = 0, cells = 0;
          for_window(op, in, in0, row, column, [&](size_t, const uint8_t* values) {
            sum += values[c] - in.zero_point;
            ++cells;
          });
          result.push_back(quantiser.stored(
              static_cast<double>(sum) / static_cast<double>(cells) * ratio, op.half_step));
        } else {
          const IntTensor& other = net.tensors[static_cast<size_t>(op.in1)];
          const size_t i = (size_t{row} * out.w + column) * out.c + c;
          const double sum = (in0[i] - in.zero_point) * ratio +
                             (in1[i] - other.zero_point) * static_cast<double>(other.scale) / out.scale;
          result.push_back(quantiser.stored(sum, op.half_step));
        }
      }
  return result;
}

void StepCount::add(const std::vector<int32_t>& expected, const std::vector<uint8_t>& got) {
  check(expected.size() == got.size(), "as many values");
  for (size_t i = 0; i < got.size(); ++i) {
    const int32_t steps = std::abs(expected[i] - got[i]);
    different += steps != 0;
    largest = std::max(largest, steps);
  }
  values += got.size();
}

}  // namespace mcusim::quantise
