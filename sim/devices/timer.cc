// SPDX-License-Identifier: MIT
// General-purpose and basic timers of STM32H7/F7 as up-counters with update interrupt.
// The count is computed from the core's cycles and the APB1 timer clock, never stepped.
// RM0433 chapters 38-40; compare channels are storage.
#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kCr1 = 0x00, kDier = 0x0C, kSr = 0x10, kEgr = 0x14, kCnt = 0x24, kPsc = 0x28,
                   kArr = 0x2C;
__extension__ typedef unsigned __int128 Wide;

class Timer : public Device {
 public:
  Timer(const DeviceRow& row, MachinePort& port)
      : Device(row.name, row.base, 0x70), port_(port), interrupt_(row.interrupt),
        limit_(row.parameter == 32 ? ~0u : 0xFFFFu) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    enabled_ = update_interrupt_ = update_flag_ = false;
    preload_ = divider_ = 0;
    top_ = limit_;
    base_count_ = base_cycle_ = 0;
    return {};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kCnt || offset == kSr) port_.time_shown();
    switch (offset) {
      case kCnt: settle(); return static_cast<uint32_t>(base_count_);
      case kSr: settle(); return (stored & ~1u) | uint32_t{update_flag_};
      case kArr: return top_;
      case kPsc: return preload_;
      default: return stored;
    }
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    settle();
    uint32_t keep = merged;
    switch (offset) {
      case kCr1: enabled_ = merged & 1; break;
      case kDier: update_interrupt_ = merged & 1; break;
      case kSr:
        if (!(merged & 1)) update_flag_ = false;
        keep = stored & merged;              // flags are cleared by writing 0
        break;
      case kEgr:
        if (merged & 1) {                    // UG: restart with the new prescaler
          base_count_ = 0;
          divider_ = preload_;
          update_flag_ = true;
        }
        keep = 0;
        break;
      case kCnt: base_count_ = merged & limit_; break;
      case kPsc: preload_ = merged & 0xFFFF; break;
      case kArr: top_ = merged & limit_; break;
      default: break;
    }
    update_line();
    port_.events_changed();
    return keep;
  }

  uint64_t next_event() const override {
    if (!enabled_ || !update_interrupt_ || update_flag_) return kNever;
    const Wide ticks = Wide{top_} + 1 - (base_count_ > top_ ? top_ : base_count_);
    const Wide clocks = ticks * (divider_ + 1) * port_.core_hz();
    return base_cycle_ + static_cast<uint64_t>((clocks + port_.timer_hz() - 1) / port_.timer_hz());
  }
  void event(uint64_t) override {
    settle();
    update_line();
    port_.events_changed();
  }
  void clocks_changing() override { settle(); }

 private:
  // Moves the base to now, keeping the fraction of a tick by moving to its start.
  void settle() {
    const uint64_t now = port_.now();
    if (!enabled_) {
      base_cycle_ = now;
      return;
    }
    const Wide per_tick = Wide{divider_ + 1} * port_.core_hz();
    const Wide ticks = Wide{now - base_cycle_} * port_.timer_hz() / per_tick;
    if (ticks == 0) return;
    base_cycle_ += static_cast<uint64_t>(ticks * per_tick / port_.timer_hz());
    const Wide count = base_count_ + ticks;
    if (count > top_) {
      update_flag_ = true;
      divider_ = preload_;
    }
    base_count_ = static_cast<uint64_t>(count % (Wide{top_} + 1));
  }
  void update_line() { port_.set_line(interrupt_, update_flag_ && update_interrupt_); }

  MachinePort& port_;
  uint32_t interrupt_, limit_;
  bool enabled_ = false, update_interrupt_ = false, update_flag_ = false;
  uint32_t preload_ = 0, divider_ = 0, top_ = ~0u;
  uint64_t base_count_ = 0, base_cycle_ = 0;
};

}  // namespace

DevicePtr make_timer(const DeviceRow& row, MachinePort& port, const Bus&, const DeviceOptions&) {
  return std::make_unique<Timer>(row, port);
}

}  // namespace mcusim
