// SPDX-License-Identifier: MIT
// MPU registers, 0xE000ED90: events carry the region attributes to the cache model, the
// machine is given the whole state for access rights. Armv7-M ARM B3.5.
#include "sim/devices/mpu.h"

#include <algorithm>

#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kType = 0x00, kControl = 0x04, kNumber = 0x08;
constexpr uint32_t kPrivilegedDefault = 4;   // MPU_CTRL.PRIVDEFENA
constexpr uint32_t kExecuteNever = 1u << 28;
enum AccessPermission : uint32_t {           // RASR.AP, table B3-15
  kPrivilegedOnly = 1, kUserReads = 2, kFull = 3, kPrivilegedReads = 5, kAllRead = 6, kAllReadToo = 7,
};

uint64_t region_bytes(uint32_t attributes) { return uint64_t{2} << (attributes >> 1 & 31); }
uint32_t permission(uint32_t attributes) { return attributes >> 24 & 7; }

bool permits(uint32_t ap, bool writes, bool privileged) {
  switch (ap) {
    case kFull: return true;
    case kPrivilegedOnly: return privileged;
    case kUserReads: return privileged || !writes;
    case kPrivilegedReads: return privileged && !writes;
    case kAllRead: case kAllReadToo: return !writes;
    default: return false;
  }
}

// Without a region: code runs from the lower half gigabytes and from external RAM.
bool executes_by_default(uint32_t address) {
  return address < 0x40000000 || (address >= 0x60000000 && address < 0xA0000000);
}

class Mpu : public Device {
 public:
  Mpu(MachinePort& port, uint32_t regions)
      : Device("MPU", 0xE000ED90, 0x2C), port_(port), regions_(regions) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    state_ = {};
    number_ = 0;
    port_.mpu_changed(state_);
    return {{kType, regions_ << 8}};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset < kNumber) return stored;
    if (offset == kNumber) return number_;
    const MpuState::MpuRegion& region = state_.regions[number_];
    return is_attributes(offset) ? region.attributes : region.base | number_;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    if (offset == kType) return stored;
    if (offset == kNumber) {
      number_ = merged % regions_;
      return 0;
    }
    if (offset == kControl) {
      const bool changed = (merged ^ state_.control) & 1;
      state_.control = merged & 7;
      if (changed)
        for (uint32_t i = 0; i < regions_; ++i)
          if (state_.regions[i].attributes & 1) announce(i);
    } else if (is_attributes(offset)) {
      state_.regions[number_].attributes = merged;
      if (state_.enabled()) announce(number_);
    } else {
      if (merged & 0x10) number_ = (merged & 0xF) % regions_;   // VALID: the word names its region
      state_.regions[number_].base = merged & ~0x1Fu;
      if (state_.enabled() && (state_.regions[number_].attributes & 1)) announce(number_);
    }
    port_.mpu_changed(state_);
    return offset == kControl ? state_.control : 0;
  }

 private:
  // RASR and its three aliases follow each RBAR.
  static bool is_attributes(uint32_t offset) { return offset % 8 == 0; }

  // A region of a disabled MPU is announced as disabled (bit 0 of RASR clear).
  void announce(uint32_t number) {
    const MpuState::MpuRegion& region = state_.regions[number];
    const uint32_t attributes = state_.enabled() ? region.attributes : region.attributes & ~1u;
    port_.control(trace::Control::What::mpu_region, number, region.base, attributes);
  }

  MachinePort& port_;
  uint32_t regions_;
  uint32_t number_ = 0;
  MpuState state_;
};

}  // namespace

bool MpuState::allows(uint32_t address, AccessKind kind, bool privileged) const {
  if (!enabled()) return true;
  if (kind != AccessKind::execute && address - 0xE0000000 < 0x100000) return true;   // PPB
  for (uint32_t i = kRegions; i-- > 0;) {               // the highest number decides
    const uint32_t attributes = regions[i].attributes;
    const uint64_t bytes = region_bytes(attributes);
    const uint32_t base = regions[i].base & ~static_cast<uint32_t>(bytes - 1);
    if (!(attributes & 1) || address - base >= bytes) continue;
    if (bytes >= 256 && attributes >> (8 + (address - base) / (bytes / 8)) & 1) continue;   // SRD
    if (kind == AccessKind::execute)
      return !(attributes & kExecuteNever) && permits(permission(attributes), false, privileged);
    return permits(permission(attributes), kind == AccessKind::write, privileged);
  }
  return (control & kPrivilegedDefault) && privileged &&
         (kind != AccessKind::execute || executes_by_default(address));
}

bool MpuState::restricts(uint32_t base, uint32_t bytes) const {
  if (!enabled()) return false;
  if (!(control & kPrivilegedDefault)) return true;
  const uint64_t end = uint64_t{base} + bytes;
  for (const MpuRegion& region : regions) {
    const uint32_t attributes = region.attributes;
    if (!(attributes & 1) || (permission(attributes) == kFull && !(attributes & kExecuteNever)))
      continue;
    const uint64_t eighth = std::max<uint64_t>(region_bytes(attributes) / 8, 4);
    const uint64_t first = region.base & ~static_cast<uint32_t>(region_bytes(attributes) - 1);
    for (uint64_t i = 0; i < 8; ++i)
      if (!(attributes >> (8 + i) & 1) && first + i * eighth < end && base < first + (i + 1) * eighth)
        return true;
  }
  return false;
}

// 16 regions on H7, 8 on F7 and others (MPU_TYPE in the parts' CMSIS headers).
DevicePtr make_mpu(MachinePort& port, const DeviceOptions& options) {
  return std::make_unique<Mpu>(port, options.board->startup == "stm32h7" ? 16 : 8);
}

}  // namespace mcusim
