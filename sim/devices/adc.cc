// SPDX-License-Identifier: MIT
// ADC of the STM32H7: calibration, enabling and conversions finish at once; what it
// measures is 0. RM0433 chapter 25. No DMA requests.
#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

class AdcH7 : public Device {
 public:
  AdcH7(const DeviceRow& row, MachinePort& port)
      : Device(row.name, row.base, 0x100), port_(port), interrupt_(row.interrupt) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    flags_ = enables_ = 0;
    continuous_ = false;
    return {{kCr, 0x20000000}};                       // deep power down
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kIsr) return flags_ | kLdoReady;
    if (offset != kDr) return stored;
    if (!continuous_) flags_ &= ~kEoc;
    update_line();
    return 0;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    uint32_t keep = merged;
    switch (offset) {
      case kIsr: flags_ &= ~merged; keep = stored; break;
      case kIer: enables_ = merged; break;
      case kCfgr: continuous_ = merged & 1u << 13; break;
      case kCr:
        if (merged & kEnable) flags_ |= kReady;
        if (merged & kDisable) {
          flags_ &= ~kReady;
          keep &= ~kEnable;
        }
        if (merged & kStart) flags_ |= kEosmp | kEoc | kEos;
        if (merged & kStop) keep &= ~kStart;
        keep &= ~(kCalibrate | kDisable | kStop | (continuous_ ? 0 : kStart));
        break;
      default: break;
    }
    update_line();
    return keep;
  }

 private:
  static constexpr uint32_t kIsr = 0x00, kIer = 0x04, kCr = 0x08, kCfgr = 0x0C, kDr = 0x40;
  static constexpr uint32_t kReady = 1, kEosmp = 2, kEoc = 4, kEos = 8, kLdoReady = 1u << 12;
  static constexpr uint32_t kEnable = 1, kDisable = 2, kStart = 4, kStop = 16,
                            kCalibrate = 1u << 31;

  void update_line() { port_.set_line(interrupt_, (flags_ & enables_) != 0); }

  MachinePort& port_;
  uint32_t interrupt_;
  uint32_t flags_ = 0, enables_ = 0;
  bool continuous_ = false;
};

}  // namespace

DevicePtr make_adc_h7(const DeviceRow& row, MachinePort& port, const Bus&, const DeviceOptions&) {
  return std::make_unique<AdcH7>(row, port);
}

}  // namespace mcusim
