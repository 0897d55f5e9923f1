// SPDX-License-Identifier: MIT
// STM32H7: supply, voltage range, flash latency, PLL1 from HSI and bus dividers, in
// the order the reference manuals ask for (RM0433 and RM0455: supply and voltage,
// flash latency, clocks). Every wait is on a ready bit. What differs between the
// lines of the family is data of the board's clock preset.
#include "kernels/target/config.h"
#include "kernels/target/registers.h"

namespace mcusim::target {

void board_init(const Config& config);

namespace {

void wait_set(uint32_t address, uint32_t bits) {
  while ((reg(address) & bits) != bits) {
  }
}

void init_clocks(const Config& config) {
  constexpr uint32_t kRcc = 0x58024400, kPwr = 0x58024800, kFlashAcr = 0x52002000;
  constexpr uint32_t kCr = kRcc + 0x00, kCfgr = kRcc + 0x10, kD1Cfgr = kRcc + 0x18,
                     kD2Cfgr = kRcc + 0x1C, kD3Cfgr = kRcc + 0x20, kPllCkSelr = kRcc + 0x28,
                     kPllCfgr = kRcc + 0x2C, kPll1Divr = kRcc + 0x30, kApb4Enr = kRcc + 0xF4;
  constexpr uint32_t kCsr1 = kPwr + 0x04, kCr3 = kPwr + 0x0C, kD3Cr = kPwr + 0x18;
  constexpr uint32_t kSyscfgPwrCr = 0x5800042C;

  // Supply from the LDO alone, then the voltage range.
  constexpr uint32_t kLdoEnable = 1u << 1, kSupplyMask = 7, kReady = 1u << 13;
  reg(kCr3) = (reg(kCr3) & ~kSupplyMask) | kLdoEnable;
  wait_set(kCsr1, kReady);  // ACTVOSRDY
  reg(kD3Cr) = (reg(kD3Cr) & ~(3u << 14)) | config.vos_field << 14;
  wait_set(kD3Cr, kReady);  // VOSRDY
  if (config.flags & kOverdrive) {
    reg(kApb4Enr) = reg(kApb4Enr) | 1u << 1;  // SYSCFG clock, then one read to let it settle
    [[maybe_unused]] const uint32_t settled = reg(kApb4Enr);
    reg(kSyscfgPwrCr) = reg(kSyscfgPwrCr) | 1;  // ODEN
    wait_set(kD3Cr, kReady);
  }

  const uint32_t acr = config.flash_wait_states | config.flash_program_delay << 4;
  reg(kFlashAcr) = acr;
  while (reg(kFlashAcr) != acr) {
  }

  constexpr uint32_t kHsiOn = 1u << 0, kHsiReady = 1u << 2, kPllOn = 1u << 24, kPllReady = 1u << 25;
  reg(kCr) = reg(kCr) | kHsiOn;
  wait_set(kCr, kHsiReady);
  reg(kCr) = reg(kCr) & ~kPllOn;
  while (reg(kCr) & kPllReady) {
  }
  // Source HSI; reference 8 to 16 MHz (range 3); wide VCO; output P only.
  reg(kPllCkSelr) = config.pll_m << 4;
  reg(kPllCfgr) = 3u << 2 | 1u << 16;
  reg(kPll1Divr) = (config.pll_n - 1) | (config.pll_p - 1) << 9 | 1u << 16 | 1u << 24;
  reg(kCr) = reg(kCr) | kPllOn;
  wait_set(kCr, kPllReady);

  // Bus dividers before the switch, so no bus ever runs too fast: every APB at half the AHB.
  const uint32_t hpre = config.ahb_divider == 4 ? 9 : config.ahb_divider == 2 ? 8 : 0;
  reg(kD1Cfgr) = hpre | 4u << 4;
  reg(kD2Cfgr) = 4u << 4 | 4u << 8;
  reg(kD3Cfgr) = 4u << 4;
  reg(kCfgr) = (reg(kCfgr) & ~7u) | 3;  // SW = PLL1
  while ((reg(kCfgr) & 7u << 3) != 3u << 3) {
  }
}

}  // namespace

void board_init(const Config& config) {
  constexpr uint32_t kDbgmcuIdcode = 0x5C001000, kAxiTarget7FnMod = 0x51008108;
  // H742/743/750/753 before revision X: one AXI SRAM read at a time (errata sheet ES0392).
  const uint32_t id = reg(kDbgmcuIdcode);
  if ((id & 0xFFF) == 0x450 && id >> 16 < 0x2000) reg(kAxiTarget7FnMod) = 1;
  // SRAM1 to SRAM3 (AHB SRAM of the H7A3) are off after reset: an arena may lie there.
  constexpr uint32_t kRccAhb2Enr = 0x580244DC;
  reg(kRccAhb2Enr) = reg(kRccAhb2Enr) | 7u << 29;
  if (config.pll_n != 0) init_clocks(config);
}

}  // namespace mcusim::target
