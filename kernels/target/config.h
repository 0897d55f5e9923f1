// SPDX-License-Identifier: MIT
// What the image builder tells the start-up: clocks, cache geometry and wishes,
// as words that the linker script writes into flash. One start-up object then
// serves every preset, and no compiler runs to change one. Freestanding.
#pragma once

#include <stdint.h>

namespace mcusim::target {

inline constexpr uint32_t kConfigMagic = 0x47464D43u;  // "CMFG"

// Flags.
inline constexpr uint32_t kDumpOutputs = 1u << 0;  // print outputs as hex by semihosting
inline constexpr uint32_t kPrintCycles = 1u << 2;  // print CYCCNT cycles of each operator
inline constexpr uint32_t kOverdrive = 1u << 1;    // the clock needs the overdrive

// In this order in flash; docs in the fields. A zero pll_n keeps the reset clock.
struct Config {
  uint32_t magic;
  uint32_t flags;
  uint32_t pll_m, pll_n, pll_p;  // source clock / m * n / p
  uint32_t ahb_divider;          // core clock / AXI clock: 1, 2 or 4
  uint32_t vos_field;            // of the regulator's control register
  uint32_t flash_wait_states, flash_program_delay;
  uint32_t dcache_sets, dcache_ways, dcache_line_bytes;  // 0 sets: no caches to enable
};
inline constexpr uint32_t kConfigWords = sizeof(Config) / 4;
static_assert(sizeof(Config) == 48);

}  // namespace mcusim::target
