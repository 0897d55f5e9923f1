// SPDX-License-Identifier: MIT
// DWT: CYCCNT counts while DEMCR.TRCENA and DWT_CTRL bit 0 are set, and is writable.
// DWT_LAR is accepted and not enforced: images reset CYCCNT without unlocking it.
#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kControl = 0x000, kCyccnt = 0x004, kLsr = 0xFB4;
constexpr uint32_t kCounterEnable = 1, kTraceEnable = 1u << 24;

class Dwt : public Device {
 public:
  Dwt(MachinePort& port, const Bus& bus) : Device("DWT", 0xE0001000, 0x1000), port_(port), bus_(bus) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    enabled_ = false;
    base_value_ = 0;
    base_cycle_ = 0;
    return {{kControl, 0x40000000}};        // NUMCOMP = 4
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kCyccnt) {
      if (counting()) port_.time_shown();
      return value();
    }
    if (offset == kLsr) return 0;           // no lock implemented
    return stored;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    if (offset == kCyccnt) {
      base_value_ = merged;
      base_cycle_ = port_.now();
    } else if (offset == kControl) {
      const uint32_t before = value();
      enabled_ = merged & kCounterEnable;
      base_value_ = before;
      base_cycle_ = port_.now();
      return (merged & 0x0FFFFFFF) | 0x40000000;
    }
    return merged;
  }

 private:
  bool counting() const { return enabled_ && (bus_.stored(kDemcr) & kTraceEnable); }
  uint32_t value() const {
    return counting() ? base_value_ + static_cast<uint32_t>(port_.now() - base_cycle_) : base_value_;
  }

  MachinePort& port_;
  const Bus& bus_;
  bool enabled_ = false;
  uint32_t base_value_ = 0;
  uint64_t base_cycle_ = 0;
};

// CoreDebug, 0xE000EDF0. DEMCR is storage that the DWT reads.
class CoreDebug : public Device {
 public:
  explicit CoreDebug(bool debugger) : Device("CoreDebug", 0xE000EDF0, 0x10), debugger_(debugger) {}
  // DHCSR: C_DEBUGEN tells firmware that BKPT is served; S_REGRDY.
  uint32_t read(uint32_t offset, uint32_t stored) override {
    return offset == 0 ? (debugger_ ? 0x00010001 : 0) : stored;
  }

 private:
  bool debugger_;
};

}  // namespace

DevicePtr make_dwt(MachinePort& port, const Bus& bus) { return std::make_unique<Dwt>(port, bus); }

DevicePtr make_core_debug(const DeviceOptions& options) {
  return std::make_unique<CoreDebug>(options.debugger);
}

}  // namespace mcusim
