// SPDX-License-Identifier: MIT
// CRC unit of STM32H7/F7: programmable polynomial and width, input and output bit
// reversal, byte, half-word and word input. RM0433 chapter 21.
#include "sim/devices/board_devices.h"

#include <bit>

namespace mcusim {
namespace {

constexpr uint32_t kDr = 0x00, kCr = 0x08, kInit = 0x10, kPol = 0x14;

uint32_t reverse(uint32_t value, uint32_t bits) {
  uint32_t out = 0;
  for (uint32_t i = 0; i < bits; ++i) out |= (value >> i & 1) << (bits - 1 - i);
  return out;
}
// Reverses bits within groups of `group` bits (8, 16 or 32) of a value of `bits` bits.
uint32_t reverse_groups(uint32_t value, uint32_t bits, uint32_t group) {
  if (group > bits) group = bits;
  uint32_t out = 0;
  const uint32_t mask = group == 32 ? ~0u : (1u << group) - 1;
  for (uint32_t at = 0; at < bits; at += group) out |= reverse(value >> at & mask, group) << at;
  return out;
}

class Crc : public Device {
 public:
  explicit Crc(const DeviceRow& row) : Device(row.name, row.base, 0x18) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    control_ = 0;
    initial_ = value_ = ~0u;
    polynomial_ = 0x04C11DB7;
    return {{kInit, initial_}, {kPol, polynomial_}};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset != kDr) return stored;
    return control_ & 0x80 ? reverse(value_ & width_mask(), width()) : value_ & width_mask();
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t) override {
    switch (offset) {
      case kDr:
        feed((merged & mask) >> std::countr_zero(mask), static_cast<uint32_t>(std::popcount(mask)));
        return 0;
      case kCr:
        control_ = merged;
        if (merged & 1) value_ = initial_;
        return merged & ~1u;
      case kInit: initial_ = value_ = merged; return merged;
      case kPol: polynomial_ = merged; return merged;
      default: return merged;
    }
  }

 private:
  uint32_t width() const {
    constexpr uint32_t kWidths[] = {32, 16, 8, 7};
    return kWidths[control_ >> 3 & 3];
  }
  uint32_t width_mask() const { return width() == 32 ? ~0u : (1u << width()) - 1; }

  void feed(uint32_t data, uint32_t bits) {
    const uint32_t groups[] = {0, 8, 16, 32};
    if (const uint32_t group = groups[control_ >> 5 & 3]) data = reverse_groups(data, bits, group);
    const uint32_t top = width() - 1;
    for (uint32_t i = bits; i-- > 0;) {
      const uint32_t feedback = (value_ >> top & 1) ^ (data >> i & 1);
      value_ = (value_ << 1) & width_mask();
      if (feedback) value_ ^= polynomial_ & width_mask();
    }
  }

  uint32_t control_ = 0, initial_ = ~0u, value_ = ~0u, polynomial_ = 0x04C11DB7;
};

}  // namespace

DevicePtr make_crc(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<Crc>(row);
}

}  // namespace mcusim
