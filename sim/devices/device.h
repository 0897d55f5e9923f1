// SPDX-License-Identifier: MIT
// A device: registers over read-back storage. Storage is the default for every
// word; a device changes only the words that must be more than storage. Devices see
// the machine through MachinePort and never the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memmap/board.h"
#include "sim/devices/mpu.h"
#include "traces/events.h"

namespace mcusim {

inline constexpr uint64_t kNever = UINT64_MAX;

struct Clocks {
  uint64_t core_hz = 0, axi_hz = 0;
  uint64_t apb1_timer_hz = 0, apb2_timer_hz = 0;   // kernel clocks of the timers
  bool operator==(const Clocks&) const = default;
};

// What a device may ask of the machine.
class MachinePort {
 public:
  virtual ~MachinePort() = default;
  virtual uint64_t now() = 0;    // cycles since reset, exact to the accessing instruction
  // The guest is shown a value that depends on time: another timing may change its path.
  virtual void time_shown() = 0;
  virtual void control(trace::Control::What what, uint32_t value, uint32_t extra0 = 0,
                       uint32_t extra1 = 0) = 0;
  virtual void mark(uint32_t port, uint32_t value) = 0;
  virtual void console(char character) = 0;
  virtual std::optional<uint8_t> input() = 0;      // next received byte, if any
  virtual void pend(uint32_t exception) = 0;       // 15 = SysTick, 16 + n = interrupt n
  virtual void set_line(uint32_t interrupt, bool high) = 0;
  virtual void events_changed() = 0;               // some next_event() moved
  virtual void request_reset() = 0;
  virtual void set_fpu_enabled(bool enabled) = 0;
  virtual void mpu_changed(const MpuState& state) = 0;
  virtual void set_traps(bool division, bool alignment) = 0;   // CCR.DIV_0_TRP, UNALIGN_TRP
  virtual const Clocks& clocks() const = 0;
  virtual void set_clocks(const Clocks& clocks) = 0;
  // While on, stores to flash program it: they can only clear bits.
  virtual void program_flash(bool on) = 0;
  virtual void erase_flash(uint32_t address, uint32_t bytes) = 0;
};

class Device {
 public:
  Device(std::string name, uint32_t base, uint32_t size_bytes)
      : name_(std::move(name)), base_(base), size_bytes_(size_bytes) {}
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }
  uint32_t base() const { return base_; }
  uint32_t size_bytes() const { return size_bytes_; }

  // Non-zero reset values of stored words, by offset.
  virtual std::vector<std::pair<uint32_t, uint32_t>> reset() { return {}; }
  // Word read: what the guest sees instead of the stored word.
  virtual uint32_t read(uint32_t /*offset*/, uint32_t stored) { return stored; }
  // Word write: `merged` has the written bytes (those of `mask`) over the stored
  // word; returns the word to store.
  virtual uint32_t write(uint32_t /*offset*/, uint32_t merged, uint32_t /*mask*/,
                         uint32_t /*stored*/) {
    return merged;
  }
  virtual uint64_t next_event() const { return kNever; }   // cycle; kNever when idle
  virtual void event(uint64_t /*now*/) {}
  virtual void poll() {}                // input may have come
  virtual void clocks_changing() {}     // core or timer clock is about to change

 private:
  std::string name_;
  uint32_t base_, size_bytes_;
};

// Settings of devices that no register tells.
struct DeviceOptions {
  const Board* board = nullptr;
  bool input_without_interrupt = false;
  bool debugger = true;          // semihosting is served, so a debugger seems attached
};

}  // namespace mcusim
