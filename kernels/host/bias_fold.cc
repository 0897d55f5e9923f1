// SPDX-License-Identifier: MIT
#include "kernels/host/bias_fold.h"

namespace mcusim {

std::vector<uint32_t> zero_point_terms(const WeightShape& shape, std::span<const uint8_t> natural,
                                       std::span<const int32_t> zero_points, int32_t input_zero) {
  const bool depthwise = shape.family == net::Family::depthwise;
  const size_t taps = size_t{shape.kernel_h} * shape.kernel_w;
  const size_t per_channel = depthwise ? taps : taps * shape.ci;
  // Distance in the natural order from one weight of a channel to the next, and
  // from one channel to the next.
  const size_t step = depthwise ? shape.co : 1, stride = depthwise ? 1 : per_channel;
  std::vector<uint32_t> terms(shape.co);
  for (size_t c = 0; c < shape.co; ++c) {
    const int32_t zero = zero_points.size() == 1 ? zero_points[0] : zero_points[c];
    uint32_t sum = 0;
    for (size_t k = 0; k < per_channel; ++k)
      sum += static_cast<uint32_t>(natural[c * stride + k * step]) - static_cast<uint32_t>(zero);
    terms[c] = sum * static_cast<uint32_t>(input_zero);
  }
  return terms;
}

}  // namespace mcusim
