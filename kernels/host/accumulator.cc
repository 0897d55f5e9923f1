// SPDX-License-Identifier: MIT
#include "kernels/host/accumulator.h"

#include <algorithm>

namespace mcusim {

AccumulatorRange accumulator_range(const IntOp& op, const IntTensor& in, uint32_t channel) {
  const bool depthwise = op.kind == net::OpKind::depthwise;
  const size_t channels = op.bias.size(), taps = op.weights.size() / channels;
  // Natural order: a channel's weights lie together, except in depthwise.
  const size_t first = depthwise ? channel : channel * taps, step = depthwise ? channels : 1;
  const int64_t zero = op.weight_zero_points.size() == 1 ? op.weight_zero_points[0]
                                                         : op.weight_zero_points[channel];
  const int64_t low = -int64_t{in.zero_point}, high = (int64_t{1} << in.bits) - 1 + low;
  AccumulatorRange range{op.bias[channel], op.bias[channel]};
  for (size_t k = 0; k < taps; ++k) {
    const int64_t w = op.weights[first + k * step] - zero;
    range.least += std::min(low * w, high * w);
    range.most += std::max(low * w, high * w);
  }
  return range;
}

}  // namespace mcusim
