// SPDX-License-Identifier: MIT
// STM32H7A3/7B3/7B0: as the STM32H743, with a voltage field of its own and
// without overdrive (RM0455).
#include "kernels/target/stm32h7_clocks.h"

namespace mcusim::target {

void board_init(const Config& config);

void board_init(const Config& config) {
  if (config.pll_n == 0) return;
  // RM0455: VOS field 3 = scale 0 ... 0 = scale 3; WRHIGHFREQ by table 15.
  init_clocks(config, {[](uint32_t scale) { return 3 - scale; },
                       [](uint32_t wait_states) { return wait_states / 2; }, false});
}

}  // namespace mcusim::target
