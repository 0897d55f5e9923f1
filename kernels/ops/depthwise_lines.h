// SPDX-License-Identifier: MIT
// Outputs below 8 bits: four channels share a byte or two, so a group's values
// first wait in lines (one byte per value, channel by channel) and are then packed
// pixel by pixel. Thresholds turn a channel's sums into such a line.
//
// Lines are zeroed before a tile, so that channels and columns which do not exist
// read as 0. Freestanding.
#pragma once

#include "kernels/ops/elements.h"
#include "kernels/requant.h"

namespace mcusim::ops {

inline void zero_words(uint8_t* p, uint32_t bytes) {
  for (; bytes != 0; bytes -= 4, p += 4) store_word(p, 0);
}

// A channel's thresholds in rising order, and how many of them a sum is above: by
// halving, which the order the validator demands allows.
template <int kOutBits>
class ThresholdSearch {
 public:
  ThresholdSearch(const net::Op& op, const uint8_t* file, uint32_t channel)
      : falling_(file[op.directions_offset + channel] == 0) {
    const uint8_t* stored = thresholds_of<kOutBits>(op, file, channel);
    for (uint32_t k = 0; k < kCount; ++k) {
      const uint32_t from = falling_ ? kCount - 1 - k : k;
      rising_[k] = static_cast<int32_t>(load_word(stored + 4 * from));
    }
  }

  uint32_t value(uint32_t sum) const {
    const int32_t acc = static_cast<int32_t>(sum);
    uint32_t above = 0;
#pragma GCC unroll 4
    for (uint32_t half = (kCount + 1) / 2; half != 0; half /= 2) {
      if (acc > rising_[above + half - 1]) above += half;
    }
    return falling_ ? kCount - above : above;  // passed if acc <= T
  }

 private:
  static constexpr uint32_t kCount = (1u << kOutBits) - 1;
  bool falling_;
  int32_t rising_[kCount];
};

// Values of a channel from its sums; whole words of both.
template <int kOutBits>
[[gnu::noinline]] void threshold_line(const net::Op& op, const uint8_t* file, uint32_t channel,
                                      const uint8_t* sums, uint32_t columns, uint8_t* line) {
  const ThresholdSearch<kOutBits> search(op, file, channel);
  for (uint32_t x = 0; x < columns; x += 4, sums += 16) {
    uint32_t y = search.value(load_word(sums));
    y |= search.value(load_word(sums + 4)) << 8;
    y |= search.value(load_word(sums + 8)) << 16;
    y |= search.value(load_word(sums + 12)) << 24;
    store_word(line + x, y);
  }
}

// One output row of a group: lines of its four channels, `channel_bytes` apart, to
// pixels `column_bytes` apart.
template <int kOutBits>
[[gnu::noinline]] void pack_lines(const uint8_t* line, uint32_t channel_bytes, uint32_t columns,
                                  uint32_t count, uint8_t* out, uint32_t column_bytes) {
  const bool second = kOutBits == 4 && count > 2;  // the group's second byte
  const uint8_t* upper = line + 2 * channel_bytes;
  for (uint32_t n = columns;; n -= 4, line += 4, upper += 4) {
    uint32_t low = load_word(line) | load_word(line + channel_bytes) << kOutBits;
    uint32_t high = load_word(upper) | load_word(upper + channel_bytes) << kOutBits;
    if constexpr (kOutBits == 2) low |= high << 4;
    if (n < 4) {
      for (; n != 0; --n, out += column_bytes, low >>= 8, high >>= 8) {
        out[0] = static_cast<uint8_t>(low);
        if (second) out[1] = static_cast<uint8_t>(high);
      }
      return;
    }
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; ++i) out[i * column_bytes] = static_cast<uint8_t>(low >> (8 * i));
    if (second) {
#pragma GCC unroll 4
      for (uint32_t i = 0; i < 4; ++i)
        out[i * column_bytes + 1] = static_cast<uint8_t>(high >> (8 * i));
    }
    out += 4 * column_bytes;
    if (n == 4) return;
  }
}

}  // namespace mcusim::ops
