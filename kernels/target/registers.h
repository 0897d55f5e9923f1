// SPDX-License-Identifier: MIT
// Memory-mapped registers of the core and the barriers around them. Freestanding.
#pragma once

#include <stdint.h>

namespace mcusim::target {

inline volatile uint32_t& reg(uint32_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

inline void barrier() { asm volatile("dsb\n\tisb" ::: "memory"); }

// Armv7-M ARM, B3.2 and B2.2.7 (cache maintenance).
inline constexpr uint32_t kVtor = 0xE000ED08, kCcr = 0xE000ED14, kCsselr = 0xE000ED84,
                          kCpacr = 0xE000ED88, kIciallu = 0xE000EF50, kDcisw = 0xE000EF60,
                          kItmStimulus0 = 0xE0000000, kDemcr = 0xE000EDFC,
                          kDwtCtrl = 0xE0001000, kDwtCyccnt = 0xE0001004, kDwtLar = 0xE0001FB0;

}  // namespace mcusim::target
