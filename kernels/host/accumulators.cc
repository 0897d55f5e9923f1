// SPDX-License-Identifier: MIT
#include "kernels/host/accumulators.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim {

void check_accumulators(const IntOp& op, const IntTensor& in) {
  const size_t channels = op.bias.size(), taps = op.weights.size() / channels;
  const bool interleaved = op.kind == net::OpKind::depthwise;  // [kh][kw][c]
  const int64_t most_stored = (1 << in.bits) - 1;
  for (size_t c = 0; c < channels; ++c) {
    int64_t low = op.bias[c], high = op.bias[c];
    const int64_t zero = op.weight_zero_points[op.weight_zero_points.size() > 1 ? c : 0];
    for (size_t k = 0; k < taps; ++k) {
      const int64_t w = op.weights[interleaved ? k * channels + c : c * taps + k] - zero;
      // A cell in the padding adds 0, which lies between these two.
      const int64_t at_zero = w * -in.zero_point, at_full = w * (most_stored - in.zero_point);
      low += std::min(at_zero, at_full);
      high += std::max(at_zero, at_full);
    }
    const bool shifts = op.contract == net::Contract::tflite && !op.shift.empty();
    const int shift = shifts ? std::clamp<int>(op.shift[op.shift.size() > 1 ? c : 0], 0, 31) : 0;
    const int64_t most = std::max(-low, high);
    if (most >= (int64_t{1} << 31) >> shift)
      throw Error("channel {}: accumulator may reach {}, beyond 2^{}", c, most, 31 - shift);
  }
}

}  // namespace mcusim
