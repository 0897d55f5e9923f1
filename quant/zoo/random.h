// SPDX-License-Identifier: MIT
// The generator of everything rule-made: SplitMix64 (Steele et al., OOPSLA 2014),
// the same numbers on every machine and library.
#pragma once

#include <cstdint>

namespace mcusim::zoo {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // Uniform over low .. high, both included.
  int32_t integer(int32_t low, int32_t high) {
    const auto count = static_cast<uint64_t>(int64_t{high} - low + 1);
    return static_cast<int32_t>(low + static_cast<int64_t>((next() >> 11) % count));
  }
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
  }

 private:
  uint64_t state_;
};

}  // namespace mcusim::zoo
