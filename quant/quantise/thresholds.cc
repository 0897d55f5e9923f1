// SPDX-License-Identifier: MIT
#include "quant/quantise/thresholds.h"

#include <algorithm>
#include <limits>

#include "memmap/base/error.h"
#include "quant/quantise/icn.h"

namespace mcusim::quantise {
namespace {

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

__int128 floor_div(__int128 a, __int128 b) {
  const __int128 q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

// floor(steps / (mult * 2^(shift - 31))), limited to a little beyond 32 bits.
int64_t floor_quotient(int64_t steps, Multiplier m) {
  constexpr int64_t kLimit = int64_t{1} << 40;
  // Beyond 2^80 every quotient of steps other than 0 leaves the limit, below 2^-60
  // every one is a fraction, so the exponent may stop there.
  const int up = std::clamp(31 - m.shift, -60, 80);
  const __int128 numerator = static_cast<__int128>(steps) << std::max(up, 0);
  const __int128 denominator = static_cast<__int128>(m.mult) << std::max(-up, 0);
  return static_cast<int64_t>(
      std::clamp<__int128>(floor_div(numerator, denominator), -kLimit, kLimit));
}

// T for "the output reaches k", rising (passed if acc > T) or not (acc <= T).
int32_t threshold(int32_t k, const IntOp& op, const IntTensor& out, Multiplier m, bool rising) {
  const int32_t always = rising ? kLeast : kMost, never = rising ? kMost : kLeast;
  if (k <= op.act_min) return always;
  if (k > op.act_max) return never;
  const int64_t steps = int64_t{k} - out.zero_point;
  if (m.mult == 0) return steps <= 0 ? always : never;
  // Reached if acc * m >= steps, hence acc >= ceil(steps / m), or <= floor for m < 0.
  const int64_t bound = rising ? -floor_quotient(-steps, m) - 1 : floor_quotient(steps, m);
  return static_cast<int32_t>(std::clamp<int64_t>(bound, kLeast, kMost));
}

}  // namespace

void to_thresholds(IntOp& op, const IntTensor& out) {
  check(op.contract == net::Contract::icn_floor && out.bits < 8, "thresholds of a narrow output");
  op.contract = net::Contract::thresholds;
  for (uint32_t c = 0; c < out.c; ++c) {
    const size_t i = op.mult.size() == 1 ? 0 : c;
    const Multiplier m{op.mult[i], op.shift[i]};
    const bool rising = m.mult >= 0;
    op.directions.push_back(rising);
    for (int32_t k = 1; k < 1 << out.bits; ++k)
      op.thresholds.push_back(threshold(k, op, out, m, rising));
  }
  op.mult.clear();
  op.shift.clear();
}

}  // namespace mcusim::quantise
