// SPDX-License-Identifier: MIT
// STM32H742/743/750/753: the erratum of early silicon, then the clocks.
#include "kernels/target/stm32h7_clocks.h"

namespace mcusim::target {

void board_init(const Config& config);

void board_init(const Config& config) {
  constexpr uint32_t kDbgmcuIdcode = 0x5C001000, kAxiTarget7FnMod = 0x51008108;
  // Revision Y (0x1003) and older: one AXI SRAM read at a time (errata sheet ES0392).
  if (reg(kDbgmcuIdcode) >> 16 < 0x2000) reg(kAxiTarget7FnMod) = 1;
  if (config.pll_n == 0) return;
  // RM0433: VOS field 3 = scale 1, 2 = scale 2, 1 = scale 3; WRHIGHFREQ by table 17.
  init_clocks(config, {[](uint32_t scale) { return 4 - (scale == 0 ? 1 : scale); },
                       [](uint32_t wait_states) { return wait_states < 2 ? wait_states : 2u; },
                       true});
}

}  // namespace mcusim::target
