// SPDX-License-Identifier: MIT
// STM32F7x5/x6/x7: flash latency, PLL from HSI, overdrive above 180 MHz, in the
// order of RM0385 and RM0410 (4.1.4: overdrive while the PLL runs and before the
// switch to it). Every wait is on a ready bit.
#include "kernels/target/config.h"
#include "kernels/target/registers.h"

namespace mcusim::target {

void board_init(const Config& config);

void board_init(const Config& config) {
  constexpr uint32_t kRcc = 0x40023800, kPwr = 0x40007000, kFlashAcr = 0x40023C00;
  constexpr uint32_t kCr = kRcc + 0x00, kPllCfgr = kRcc + 0x04, kCfgr = kRcc + 0x08,
                     kApb1Enr = kRcc + 0x40, kPwrCr1 = kPwr + 0x00, kPwrCsr1 = kPwr + 0x04;
  if (config.pll_n == 0) return;
  auto wait_set = [](uint32_t address, uint32_t bits) {
    while ((reg(address) & bits) != bits) {
    }
  };

  reg(kApb1Enr) = reg(kApb1Enr) | 1u << 28;  // PWR clock, then one read to let it settle
  [[maybe_unused]] const uint32_t settled = reg(kApb1Enr);
  reg(kPwrCr1) = (reg(kPwrCr1) & ~(3u << 14)) | config.vos_field << 14;
  // PLL: source HSI, Q divider 9 (48 MHz domain), P code 0 = /2.
  constexpr uint32_t kPllOn = 1u << 24, kPllReady = 1u << 25;
  reg(kPllCfgr) = config.pll_m | config.pll_n << 6 | (config.pll_p / 2 - 1) << 16 | 9u << 24 |
                  2u << 28;
  reg(kCr) = reg(kCr) | kPllOn;
  if (config.flags & kOverdrive) {
    reg(kPwrCr1) = reg(kPwrCr1) | 1u << 16;  // ODEN
    wait_set(kPwrCsr1, 1u << 16);
    reg(kPwrCr1) = reg(kPwrCr1) | 1u << 17;  // ODSWEN
    wait_set(kPwrCsr1, 1u << 17);
  }
  reg(kFlashAcr) = config.flash_wait_states;
  while (reg(kFlashAcr) != config.flash_wait_states) {
  }
  wait_set(kCr, kPllReady);
  // AHB at the core clock, APB1 at a quarter, APB2 at half; then the switch.
  reg(kCfgr) = (reg(kCfgr) & ~0xFCF0u) | 5u << 10 | 4u << 13;
  reg(kCfgr) = (reg(kCfgr) & ~3u) | 2;
  while ((reg(kCfgr) & 3u << 2) != 2u << 2) {
  }
}

}  // namespace mcusim::target
