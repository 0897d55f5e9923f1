// SPDX-License-Identifier: MIT
// MPU registers, 0xE000ED90: storage plus events that carry the region attributes to
// the cache model. Access rights are not enforced. Armv7-M ARM B3.5.
#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kType = 0x00, kControl = 0x04, kNumber = 0x08;
constexpr uint32_t kRegions = 16;

class Mpu : public Device {
 public:
  Mpu(MachinePort& port, uint32_t regions)
      : Device("MPU", 0xE000ED90, 0x2C), port_(port), regions_(regions) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    for (uint32_t i = 0; i < kRegions; ++i) base_address_[i] = attributes_[i] = 0;
    number_ = control_ = 0;
    return {{kType, regions_ << 8}};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset < kNumber) return stored;
    if (offset == kNumber) return number_;
    return is_attributes(offset) ? attributes_[number_] : base_address_[number_] | number_;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    if (offset == kType) return stored;
    if (offset == kControl) {
      const bool changed = (merged ^ control_) & 1;
      control_ = merged & 7;
      if (changed)
        for (uint32_t i = 0; i < regions_; ++i)
          if (attributes_[i] & 1) announce(i);
      return control_;
    }
    if (offset == kNumber) {
      number_ = merged % regions_;
    } else if (is_attributes(offset)) {
      attributes_[number_] = merged;
      if (control_ & 1) announce(number_);
    } else {
      if (merged & 0x10) number_ = (merged & 0xF) % regions_;   // VALID: the word names its region
      base_address_[number_] = merged & ~0x1Fu;
    }
    return 0;
  }

 private:
  // RASR and its three aliases follow each RBAR.
  static bool is_attributes(uint32_t offset) { return offset % 8 == 0; }

  // A region of a disabled MPU is announced as disabled (bit 0 of RASR clear).
  void announce(uint32_t region) {
    const uint32_t attributes = control_ & 1 ? attributes_[region] : attributes_[region] & ~1u;
    port_.control(trace::Control::What::mpu_region, region, base_address_[region], attributes);
  }

  MachinePort& port_;
  uint32_t regions_;
  uint32_t number_ = 0, control_ = 0;
  uint32_t base_address_[kRegions] = {}, attributes_[kRegions] = {};
};

}  // namespace

// 16 regions on H7, 8 on F7 and others (MPU_TYPE in the parts' CMSIS headers).
DevicePtr make_mpu(MachinePort& port, const DeviceOptions& options) {
  return std::make_unique<Mpu>(port, options.board->startup == "stm32h7" ? 16 : 8);
}

}  // namespace mcusim
