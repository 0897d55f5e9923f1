// SPDX-License-Identifier: MIT
// Which exception runs next: pending, enabled and active bits with priorities, as
// the Armv7-M priority rules order them (B1.5.4). Pure state; the exception unit
// does entry and return. 4 priority bits, as on the STM32H7.
#pragma once

#include <bitset>
#include <cstdint>
#include <vector>

#include "sim/devices/device.h"

namespace mcusim {

inline constexpr uint32_t kExceptions = 16 + 240;
enum SystemException : uint32_t {
  kNmi = 2, kHardFault = 3, kMemManage = 4, kBusFault = 5, kUsageFault = 6, kSvCall = 11, kPendSv = 14, kSysTick = 15, kFirstInterrupt = 16,
};
inline constexpr int kThreadPriority = 256;   // lower than any configurable one

class Nvic {
 public:
  void reset();
  void set_pending(uint32_t exception, bool pending);
  bool pending(uint32_t exception) const { return pending_[exception]; }
  void set_enabled(uint32_t interrupt, bool enabled);
  bool enabled(uint32_t exception) const { return enabled_[exception]; }
  bool active(uint32_t exception) const { return active_bits_[exception]; }
  void set_priority(uint32_t exception, uint8_t priority) { priority_[exception] = priority & 0xf0; }
  uint8_t priority(uint32_t exception) const { return priority_[exception]; }
  void set_priority_group(uint32_t group) { group_ = group & 7; }
  void set_line(uint32_t interrupt, bool high);

  bool any_pending() const { return any_pending_; }  // pending and enabled

  // The exception to take now, or 0: highest pending that beats what runs and the
  // mask registers.
  uint32_t next(bool primask, bool faultmask, uint8_t basepri) const;
  // Same, ignoring PRIMASK: what wakes a core from WFI.
  uint32_t next_ignoring_primask(uint8_t basepri) const { return next(false, false, basepri); }
  bool can_take(uint32_t exception, bool primask, bool faultmask, uint8_t basepri) const;

  void enter(uint32_t exception);   // pending -> active
  // Active -> inactive; a line still high pends again. Returns the outer exception or 0.
  uint32_t leave(uint32_t exception);
  uint32_t current() const { return active_.empty() ? 0 : active_.back(); }
  size_t depth() const { return active_.size(); }

 private:
  int group_priority(uint32_t exception) const;   // what preemption compares
  int running_priority(bool primask, bool faultmask, uint8_t basepri) const;
  void update();

  std::bitset<kExceptions> pending_, enabled_, active_bits_, lines_;
  uint8_t priority_[kExceptions] = {};
  std::vector<uint32_t> active_;
  uint32_t group_ = 0;
  bool any_pending_ = false;
};

// The registers of the NVIC over that state: ISER, ICER, ISPR, ICPR, IABR, IPR.
class NvicDevice : public Device {
 public:
  explicit NvicDevice(Nvic& nvic) : Device("NVIC", 0xE000E100, 0x400), nvic_(nvic) {}
  uint32_t read(uint32_t offset, uint32_t stored) override;
  uint32_t write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t stored) override;

 private:
  Nvic& nvic_;
};

}  // namespace mcusim
