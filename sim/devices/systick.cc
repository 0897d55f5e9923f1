// SPDX-License-Identifier: MIT
// SysTick: a 24-bit down counter on the same clock as CYCCNT. It is computed from the
// time of its last restart, never stepped. Armv7-M ARM B3.3: period LOAD + 1; writing
// VAL clears it and COUNTFLAG, and the next clock reloads.
#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kCtrl = 0x0, kLoad = 0x4, kVal = 0x8, kCalib = 0xC;
constexpr uint32_t kEnable = 1, kTickInt = 2, kClkSource = 4, kCountFlag = 1u << 16;
constexpr uint64_t kReferenceDivider = 8;   // H7: the external reference is HCLK / 8

class SysTick : public Device {
 public:
  explicit SysTick(MachinePort& port) : Device("SysTick", 0xE000E010, 0x10), port_(port) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    control_ = load_ = 0;
    count_flag_ = false;
    start_ = 0;
    period_ = 0;
    return {{kCalib, 0x40000000}};          // SKEW: no calibration value
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kCtrl || offset == kVal) port_.time_shown();
    if (offset == kCtrl) {
      catch_up(port_.now());
      const uint32_t value = control_ | (count_flag_ ? kCountFlag : 0);
      count_flag_ = false;
      return value;
    }
    if (offset == kVal) return counter(port_.now());
    return stored;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    switch (offset) {
      case kCtrl: {
        const uint32_t changed = (merged ^ control_) & (kEnable | kClkSource);
        control_ = merged & 7;
        if (changed) restart();
        port_.events_changed();
        return control_;
      }
      case kLoad:
        load_ = merged & 0xFFFFFF;
        if (period_ == 0) restart();        // was stopped by LOAD = 0
        port_.events_changed();
        return load_;
      case kVal:
        restart();
        count_flag_ = false;
        port_.events_changed();
        return 0;
      default: return stored;
    }
  }

  uint64_t next_event() const override { return running() ? start_ + period_ : kNever; }
  void event(uint64_t now) override { catch_up(now); }

 private:
  bool running() const { return (control_ & kEnable) && period_ != 0; }
  uint64_t clocks_per_tick() const { return control_ & kClkSource ? 1 : kReferenceDivider; }

  void restart() {
    start_ = port_.now();
    period_ = load_ == 0 ? 0 : (uint64_t{load_} + 1) * clocks_per_tick();
  }

  // Several periods passed are still one pending bit.
  void catch_up(uint64_t now) {
    if (!running() || now < start_ + period_) return;
    start_ += period_;
    period_ = load_ == 0 ? 0 : (uint64_t{load_} + 1) * clocks_per_tick();   // LOAD takes effect now
    if (period_ != 0 && now > start_) start_ += (now - start_) / period_ * period_;
    count_flag_ = true;
    if (control_ & kTickInt) port_.pend(kSysTick);
    port_.events_changed();
  }

  uint32_t counter(uint64_t now) {
    if (!running()) return 0;
    const uint64_t elapsed = (now - start_) % period_ / clocks_per_tick();
    return elapsed == 0 ? 0 : static_cast<uint32_t>(load_ + 1 - elapsed);
  }

  MachinePort& port_;
  uint32_t control_ = 0, load_ = 0;
  bool count_flag_ = false;
  uint64_t start_ = 0, period_ = 0;         // period in core clocks; 0: stopped
};

}  // namespace

DevicePtr make_systick(MachinePort& port) { return std::make_unique<SysTick>(port); }

}  // namespace mcusim
