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

// Values of one row of one channel from its sums; whole words of both.
template <int kOutBits>
inline void threshold_line(const net::Op& op, const uint8_t* file, uint32_t channel,
                           const uint8_t* sums, uint32_t line_columns, uint8_t* line) {
  constexpr net::Contract kThresholds = net::Contract::thresholds;
  const Channel ch = make_channel<kThresholds>(op, file, channel, 0);
  const uint8_t* thresholds = thresholds_of<kOutBits>(op, file, channel);
  const Stage stage{};
  for (uint32_t x = 0; x < line_columns; x += 4, sums += 16) {
    const uint32_t acc[4] = {load_word(sums), load_word(sums + 4), load_word(sums + 8),
                             load_word(sums + 12)};
    uint32_t y[4];
    requantise<kThresholds, kOutBits, 4>(acc, ch, stage, thresholds, y);
    store_word(line + x, y[0] | y[1] << 8 | y[2] << 16 | y[3] << 24);
  }
}

// One output row of a group: lines of its four channels, `channel_bytes` apart, to
// pixels `column_bytes` apart.
template <int kOutBits>
[[gnu::noinline]] void pack_lines(const uint8_t* line, uint32_t channel_bytes, uint32_t columns,
                                  uint32_t count, uint8_t* out, uint32_t column_bytes) {
  for (uint32_t x = 0; x < columns; x += 4, line += 4) {
    uint32_t low = load_word(line), high = load_word(line + 2 * channel_bytes);
    low |= load_word(line + channel_bytes) << kOutBits;
    high |= load_word(line + 3 * channel_bytes) << kOutBits;
    if constexpr (kOutBits == 2) low |= high << 4;
    for (uint32_t n = min_u32(4, columns - x); n != 0; --n, out += column_bytes) {
      out[0] = static_cast<uint8_t>(low);
      low >>= 8;
      if constexpr (kOutBits == 4) {
        if (count > 2) out[1] = static_cast<uint8_t>(high);
        high >>= 8;
      }
    }
  }
}

}  // namespace mcusim::ops
