// SPDX-License-Identifier: MIT
// Layout::depthwise_groups: per group of four channels one packed group per tap,
// taps in row order. A group's tap takes 4, 2 or 1 bytes at 8, 4 or 2 bits; the
// channels that fill the last group are 0. No tail: kernels read whole groups.
#include "kernels/host/layout_rows.h"

namespace mcusim::depthwise_groups {
namespace {

constexpr uint32_t kGroup = 4;

uint64_t taps_of(const WeightShape& s) { return uint64_t{s.kernel_h} * s.kernel_w; }

// Calls visit(byte, shift, natural index) for each weight.
template <typename Visit>
void for_each_weight(const WeightShape& s, Visit visit) {
  const uint64_t taps = taps_of(s), group_bits = kGroup * s.weight_bits;
  for (uint64_t tap = 0; tap < taps; ++tap) {
    for (uint64_t c = 0; c < s.co; ++c) {
      const uint64_t bit =
          (c / kGroup * taps + tap) * group_bits + c % kGroup * s.weight_bits;
      visit(bit / 8, static_cast<uint32_t>(bit % 8), tap * s.co + c);
    }
  }
}

}  // namespace

uint64_t blob_bytes(const WeightShape& s) {
  return (uint64_t{s.co} + kGroup - 1) / kGroup * taps_of(s) * (kGroup * s.weight_bits / 8);
}

std::vector<uint8_t> pack(const WeightShape& s, std::span<const uint8_t> natural) {
  std::vector<uint8_t> blob(blob_bytes(s));
  for_each_weight(s, [&](uint64_t byte, uint32_t shift, uint64_t index) {
    blob[byte] = static_cast<uint8_t>(blob[byte] | natural[index] << shift);
  });
  return blob;
}

std::vector<uint8_t> unpack(const WeightShape& s, std::span<const uint8_t> blob) {
  std::vector<uint8_t> natural(taps_of(s) * s.co);
  const uint32_t mask = (1u << s.weight_bits) - 1;
  for_each_weight(s, [&](uint64_t byte, uint32_t shift, uint64_t index) {
    natural[index] = static_cast<uint8_t>(blob[byte] >> shift & mask);
  });
  return natural;
}

}  // namespace mcusim::depthwise_groups
