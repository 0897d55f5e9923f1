// SPDX-License-Identifier: MIT
// Devices of a few bits each: GPIO ports, RTC, random numbers, an identity word.
#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

// RM0433 chapter 11. Outputs read back on IDR; inputs read their pull-up.
class Gpio : public Device {
 public:
  Gpio(const DeviceRow& row, const Bus& bus) : Device(row.name, row.base, 0x28), bus_(bus) {}

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kOdr) return output_;
    if (offset != kIdr) return stored;
    const uint32_t mode = bus_.stored(base() + kModer), pull = bus_.stored(base() + kPupdr);
    uint32_t pins = 0;
    for (uint32_t pin = 0; pin < 16; ++pin) {
      const bool drives = (mode >> 2 * pin & 3) == 1;
      const bool high = drives ? output_ >> pin & 1 : (pull >> 2 * pin & 3) == 1;
      pins |= uint32_t{high} << pin;
    }
    return pins;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t stored) override {
    switch (offset) {
      case kIdr: return stored;
      case kOdr: return output_ = merged & 0xFFFF;
      case kBsrr: {                          // set wins over reset
        const uint32_t bits = merged & mask;
        output_ = (output_ & ~(bits >> 16)) | (bits & 0xFFFF);
        return 0;
      }
      default: return merged;
    }
  }
  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    output_ = 0;
    return {};
  }

 private:
  static constexpr uint32_t kModer = 0x00, kPupdr = 0x0C, kIdr = 0x10, kOdr = 0x14, kBsrr = 0x18;
  const Bus& bus_;
  uint32_t output_ = 0;
};

// RM0433 chapter 46. Set-up is acknowledged; the calendar stands still.
class Rtc : public Device {
 public:
  explicit Rtc(const DeviceRow& row) : Device(row.name, row.base, 0x100) {}
  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    return {{0x04, 0x2101}, {0x10, 0x7F00FF}, {0x14, 0xFFFF}};
  }
  // ISR: INITF follows INIT; shadow registers in step, alarms and wake-up writable.
  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset != 0x0C) return stored;
    return (stored & ~0x48u) | 0x27 | (stored >> 7 & 1) << 6;
  }
};

// RM0433 chapter 34. Ready while enabled; the same numbers in every run.
class Rng : public Device {
 public:
  explicit Rng(const DeviceRow& row) : Device(row.name, row.base, 0x400) {}
  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    enabled_ = false;
    state_ = 0x2545F491;
    return {};
  }
  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == 0x04) return enabled_;
    if (offset != 0x08) return stored;
    state_ ^= state_ << 13;                  // xorshift32
    state_ ^= state_ >> 17;
    return state_ ^= state_ << 5;
  }
  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    if (offset == 0x00) enabled_ = merged & 4;
    return merged;
  }

 private:
  bool enabled_ = false;
  uint32_t state_ = 0;
};

// A read-only identity word at the start of a device.
class Constant : public Device {
 public:
  explicit Constant(const DeviceRow& row)
      : Device(row.name, row.base, 4), value_(static_cast<uint32_t>(row.parameter)) {}
  uint32_t read(uint32_t, uint32_t) override { return value_; }

 private:
  uint32_t value_;
};

}  // namespace

DevicePtr make_gpio(const DeviceRow& row, MachinePort&, const Bus& bus, const DeviceOptions&) {
  return std::make_unique<Gpio>(row, bus);
}
DevicePtr make_rtc(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<Rtc>(row);
}
DevicePtr make_rng(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<Rng>(row);
}
DevicePtr make_constant(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<Constant>(row);
}

}  // namespace mcusim
