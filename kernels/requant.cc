// SPDX-License-Identifier: MIT
// The exact 64-bit path of icn-floor: left shifts, and right shifts beyond what
// SMMLA can carry. Taken by few channels; shared by all rows.
#include "kernels/requant.h"

namespace mcusim {

int32_t icn_exact(int32_t acc, int32_t m0, int32_t n0) {
  constexpr int64_t kLimit = INT64_C(1) << 30;
  int64_t v = static_cast<int64_t>(acc) * m0;
  const int32_t right = 31 - n0;
  if (right >= 0) {
    v >>= right > 63 ? 63 : right;
  } else {
    // Beyond +-2^31 any further shift saturates; below, the product fits 63 bits.
    v = v > 2 * kLimit ? 2 * kLimit : v < -2 * kLimit ? -2 * kLimit : v;
    v *= INT64_C(1) << (-right > 31 ? 31 : -right);
  }
  return static_cast<int32_t>(v > kLimit ? kLimit : v < -kLimit ? -kLimit : v);
}

}  // namespace mcusim
