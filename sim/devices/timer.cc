// SPDX-License-Identifier: MIT
// General-purpose and basic timers of STM32H7/F7 as up-counters with update interrupt.
// The count is computed from the core's cycles and the APB1 timer clock, never stepped.
// RM0433 chapters 37-41. The four compare channels set their flags and interrupt; their
// outputs, captures and DMA requests are storage.
#include <algorithm>

#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kCr1 = 0x00, kDier = 0x0C, kSr = 0x10, kEgr = 0x14, kCnt = 0x24, kPsc = 0x28,
                   kArr = 0x2C, kCcr1 = 0x34;
constexpr uint32_t kChannels = 4, kEvents = 0x1F;
__extension__ typedef unsigned __int128 Wide;

class Timer : public Device {
 public:
  Timer(const DeviceRow& row, MachinePort& port)
      : Device(row.name, row.base, 0x70), port_(port), interrupt_(row.interrupt),
        limit_((row.parameter & 63) == 32 ? ~0u : 0xFFFFu), apb2_(row.parameter & kApb2) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    enabled_ = false;
    interrupts_ = flags_ = 0;
    for (uint32_t& compare : compare_) compare = 0;
    preload_ = divider_ = 0;
    top_ = limit_;
    base_count_ = base_cycle_ = 0;
    return {};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kCnt || offset == kSr) port_.time_shown();
    switch (offset) {
      case kCnt: settle(); return static_cast<uint32_t>(base_count_);
      case kSr: settle(); return (stored & ~kEvents) | flags_;
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
      case kDier: interrupts_ = merged & kEvents; break;
      case kSr:
        flags_ &= merged;                    // flags are cleared by writing 0
        keep = stored & merged;
        break;
      case kEgr:
        if (merged & 1) {                    // UG: restart with the new prescaler
          base_count_ = 0;
          divider_ = preload_;
        }
        flags_ |= merged & kEvents;
        keep = 0;
        break;
      case kCnt: base_count_ = merged & limit_; break;
      case kPsc: preload_ = merged & 0xFFFF; break;
      case kArr: top_ = merged & limit_; break;
      default:
        if (offset >= kCcr1 && offset < kCcr1 + 16) compare_[(offset - kCcr1) / 4] = merged & limit_;
        break;
    }
    update_line();
    port_.events_changed();
    return keep;
  }

  uint64_t next_event() const override {
    if (!enabled_) return kNever;
    Wide ticks = 0;                          // 0: nothing that would interrupt
    for (uint32_t event = 0; event < kChannels + 1; ++event) {
      const Wide distance = interrupts_ & ~flags_ & 1u << event ? ticks_until(event) : 0;
      if (distance != 0 && (ticks == 0 || distance < ticks)) ticks = distance;
    }
    if (ticks == 0) return kNever;
    const Wide cycles = ticks * (divider_ + 1) * port_.clocks().core_hz;
    return base_cycle_ + static_cast<uint64_t>((cycles + timer_hz() - 1) / timer_hz());
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
    const Wide per_tick = Wide{divider_ + 1} * port_.clocks().core_hz;
    const Wide ticks = Wide{now - base_cycle_} * timer_hz() / per_tick;
    if (ticks == 0) return;
    base_cycle_ += static_cast<uint64_t>(ticks * per_tick / timer_hz());
    for (uint32_t event = 0; event < kChannels + 1; ++event) {
      const Wide distance = ticks_until(event);
      if (distance != 0 && distance <= ticks) flags_ |= 1u << event;
    }
    const Wide count = base_count_ + ticks;
    if (count > top_) divider_ = preload_;
    base_count_ = static_cast<uint64_t>(count % (Wide{top_} + 1));
  }
  // Ticks from the base until an event (0: overflow, 1 to 4: compare) happens again; 0: never.
  Wide ticks_until(uint32_t event) const {
    const uint64_t period = uint64_t{top_} + 1, count = std::min<uint64_t>(base_count_, top_);
    if (event == 0) return period - count;
    const uint64_t at = compare_[event - 1];
    if (at > top_) return 0;
    return at > count ? at - count : at + period - count;
  }
  uint64_t timer_hz() const {
    return apb2_ ? port_.clocks().apb2_timer_hz : port_.clocks().apb1_timer_hz;
  }
  void update_line() { port_.set_line(interrupt_, (flags_ & interrupts_) != 0); }

  MachinePort& port_;
  uint32_t interrupt_, limit_;
  bool apb2_, enabled_ = false;
  uint32_t interrupts_ = 0, flags_ = 0;     // bit 0: update, bits 1 to 4: compare channels
  uint32_t compare_[kChannels] = {};
  uint32_t preload_ = 0, divider_ = 0, top_ = ~0u;
  uint64_t base_count_ = 0, base_cycle_ = 0;
};

}  // namespace

DevicePtr make_timer(const DeviceRow& row, MachinePort& port, const Bus&, const DeviceOptions&) {
  return std::make_unique<Timer>(row, port);
}

}  // namespace mcusim
