// SPDX-License-Identifier: MIT
// Access to stored activations in groups of four channels.
//
// Channels are packed least significant bits first and every pixel starts on a
// byte, so a group of four channels is 4, 2 or 1 whole bytes at 8, 4 or 2 bits
// and can be read and written alone. A group is handled as one word of four byte
// lanes. The last group of a pixel may hold fewer channels: it is read byte by
// byte so that no load passes the tensor's end, and its pad bits are written 0.
// Freestanding.
#pragma once

#include <stdint.h>

#include "kernels/net_format.h"

namespace mcusim::ops {

inline constexpr uint32_t kGroup = 4;  // channels handled together

// Bytes of `channels` channels of one pixel.
template <int kBits>
constexpr uint32_t packed_bytes(uint32_t channels) {
  return (channels * kBits + 7) / 8;
}

template <int kBits>
inline constexpr int32_t kMaxValue = (1 << kBits) - 1;

inline uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }

inline uint32_t load_word(const uint8_t* p) {
  uint32_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return word;
}

inline void store_word(uint8_t* p, uint32_t word) { __builtin_memcpy(p, &word, sizeof word); }

inline uint32_t load_half(const uint8_t* p) {
  uint16_t half;
  __builtin_memcpy(&half, p, sizeof half);
  return half;
}

// Element i of a packed run of elements.
template <int kBits>
inline uint32_t element(const uint8_t* p, uint32_t i) {
  if constexpr (kBits == 8) return p[i];
  constexpr uint32_t kPerByte = 8 / kBits;
  return (p[i / kPerByte] >> ((i % kPerByte) * kBits)) & kMaxValue<kBits>;
}

// Four whole channels at `p` as byte lanes.
template <int kBits>
inline uint32_t load4(const uint8_t* p) {
  if constexpr (kBits == 8) return load_word(p);
  if constexpr (kBits == 4) {
    const uint32_t half = load_half(p);
    const uint32_t pairs = (half | half << 8) & 0x00FF00FFu;
    return (pairs | pairs << 4) & 0x0F0F0F0Fu;
  }
  if constexpr (kBits == 2) {
    const uint32_t nibbles = (uint32_t{*p} | uint32_t{*p} << 12) & 0x000F000Fu;
    return (nibbles | nibbles << 6) & 0x03030303u;
  }
}

// The first `count` (1 to 4) channels at `p`; the lanes behind them are 0.
template <int kBits>
inline uint32_t load_group(const uint8_t* p, uint32_t count) {
  if (count == kGroup) return load4<kBits>(p);
  uint32_t lanes = 0;
  for (uint32_t i = 0; i < count; ++i) lanes |= element<kBits>(p, i) << (8 * i);
  return lanes;
}

// Writes the first `count` (1 to 4) byte lanes; values are below 2^kBits.
template <int kBits>
inline void store_group(uint8_t* p, uint32_t lanes, uint32_t count) {
  if (count < kGroup) lanes &= (1u << (8 * count)) - 1;
  if constexpr (kBits == 8) {
    if (count == kGroup) {
      store_word(p, lanes);
    } else {
      for (uint32_t i = 0; i < count; ++i) p[i] = static_cast<uint8_t>(lanes >> (8 * i));
    }
  } else if constexpr (kBits == 4) {
    const uint32_t pairs = lanes | lanes >> 4;
    p[0] = static_cast<uint8_t>(pairs);
    if (count > 2) p[1] = static_cast<uint8_t>(pairs >> 16);
  } else {
    const uint32_t nibbles = lanes | lanes >> 6;
    p[0] = static_cast<uint8_t>((nibbles & 0xFu) | (nibbles >> 12 & 0xF0u));
  }
}

inline const uint8_t* pixel(const net::Tensor& t, const uint8_t* arena, uint32_t y, uint32_t x) {
  return arena + t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes;
}

inline uint8_t* pixel(const net::Tensor& t, uint8_t* arena, uint32_t y, uint32_t x) {
  return arena + t.arena_offset + y * t.row_stride_bytes + x * t.pixel_stride_bytes;
}

// The kernel taps of one output position that fall inside the input, along one
// axis: taps [first, last) read cells begin.. ; empty when none does.
struct Span {
  uint32_t first, last;
  int32_t origin;  // input cell of tap 0, may be negative
};

inline Span span_inside(uint32_t position, uint32_t stride, uint32_t pad, uint32_t kernel,
                        uint32_t size) {
  const int32_t origin = static_cast<int32_t>(position * stride) - static_cast<int32_t>(pad);
  const int32_t end = static_cast<int32_t>(size) - origin;
  const uint32_t first = origin < 0 ? static_cast<uint32_t>(-origin) : 0;
  const uint32_t last = end <= 0 ? 0 : min_u32(kernel, static_cast<uint32_t>(end));
  return {first, last < first ? first : last, origin};
}

}  // namespace mcusim::ops
