// SPDX-License-Identifier: MIT
// What the MPU's registers say, and whether they allow an access. Armv7-M ARM B3.5.
#pragma once

#include <cstdint>

namespace mcusim {

enum class AccessKind : uint8_t { read, write, execute };

struct MpuState {
  static constexpr uint32_t kRegions = 16;
  struct MpuRegion {
    uint32_t base = 0, attributes = 0;       // RBAR without its number, RASR
  };
  uint32_t control = 0;                      // MPU_CTRL
  MpuRegion regions[kRegions];

  bool enabled() const { return control & 1; }
  bool allows(uint32_t address, AccessKind kind, bool privileged) const;
  // Whether some address of [base, base + bytes) is closed to somebody.
  bool restricts(uint32_t base, uint32_t bytes) const;
};

}  // namespace mcusim
