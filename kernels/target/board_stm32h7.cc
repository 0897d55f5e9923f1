// SPDX-License-Identifier: MIT
// STM32H742/743/750/753: supply, voltage range, flash latency, PLL1 from HSI, bus
// dividers, in the order RM0433 asks for (6.6 supply and voltage, 4.3.8 flash,
// 8.5 clocks). Every wait is on a ready bit; at most 64 MHz / m * n / p.
#include "kernels/target/config.h"
#include "kernels/target/registers.h"

namespace mcusim::target {
namespace {

constexpr uint32_t kRcc = 0x58024400, kPwr = 0x58024800;
constexpr uint32_t kRccCr = kRcc + 0x00, kRccCfgr = kRcc + 0x10, kRccD1Cfgr = kRcc + 0x18,
                   kRccD2Cfgr = kRcc + 0x1C, kRccD3Cfgr = kRcc + 0x20, kRccPllCkSelr = kRcc + 0x28,
                   kRccPllCfgr = kRcc + 0x2C, kRccPll1Divr = kRcc + 0x30, kRccApb4Enr = kRcc + 0xF4;
constexpr uint32_t kPwrCsr1 = kPwr + 0x04, kPwrCr3 = kPwr + 0x0C, kPwrD3Cr = kPwr + 0x18;
constexpr uint32_t kFlashAcr = 0x52002000, kSyscfgPwrCr = 0x5800042C;
constexpr uint32_t kDbgmcuIdcode = 0x5C001000, kAxiTarget7FnMod = 0x51008108;

void wait_set(uint32_t address, uint32_t bits) {
  while ((reg(address) & bits) != bits) {
  }
}

void set_voltage(const Config& config) {
  constexpr uint32_t kLdoEnable = 1u << 1, kSupplyMask = 7, kReady = 1u << 13;
  reg(kPwrCr3) = (reg(kPwrCr3) & ~kSupplyMask) | kLdoEnable;
  wait_set(kPwrCsr1, kReady);  // ACTVOSRDY
  // VOS field: 3 = scale 1, 2 = scale 2, 1 = scale 3; scale 0 is scale 1 and overdrive.
  const uint32_t scale = config.voltage_scale == 0 ? 1 : config.voltage_scale;
  reg(kPwrD3Cr) = (reg(kPwrD3Cr) & ~(3u << 14)) | (4 - scale) << 14;
  wait_set(kPwrD3Cr, kReady);  // VOSRDY
  if (config.flags & kOverdrive) {
    reg(kRccApb4Enr) = reg(kRccApb4Enr) | 1u << 1;  // SYSCFG clock
    [[maybe_unused]] const uint32_t settled = reg(kRccApb4Enr);
    reg(kSyscfgPwrCr) = reg(kSyscfgPwrCr) | 1;  // ODEN
    wait_set(kPwrD3Cr, kReady);
  }
}

void set_flash_latency(uint32_t wait_states) {
  // WRHIGHFREQ (bits 5:4): 0, 1, 2 as the latency grows, RM0433 table 17.
  const uint32_t program_delay = wait_states < 2 ? wait_states : 2;
  const uint32_t value = wait_states | program_delay << 4;
  reg(kFlashAcr) = value;
  while (reg(kFlashAcr) != value) {
  }
}

}  // namespace

void board_init(const Config& config);

void board_init(const Config& config) {
  // Revision Y (0x1003) and older: one AXI SRAM read at a time (errata ES0392, 2.2.9).
  if (reg(kDbgmcuIdcode) >> 16 < 0x2000) reg(kAxiTarget7FnMod) = 1;
  if (config.pll_n == 0) return;

  set_voltage(config);
  set_flash_latency(config.flash_wait_states);

  constexpr uint32_t kHsiOn = 1u << 0, kHsiReady = 1u << 2, kPllOn = 1u << 24, kPllReady = 1u << 25;
  reg(kRccCr) = reg(kRccCr) | kHsiOn;
  wait_set(kRccCr, kHsiReady);
  reg(kRccCr) = reg(kRccCr) & ~kPllOn;
  while (reg(kRccCr) & kPllReady) {
  }
  // Source HSI; reference 8 to 16 MHz (range 3); wide VCO; output P only.
  reg(kRccPllCkSelr) = config.pll_m << 4;
  reg(kRccPllCfgr) = 3u << 2 | 1u << 16;
  reg(kRccPll1Divr) = (config.pll_n - 1) | (config.pll_p - 1) << 9 | 1u << 16 | 1u << 24;
  reg(kRccCr) = reg(kRccCr) | kPllOn;
  wait_set(kRccCr, kPllReady);

  // Bus dividers before the switch, so no bus ever runs too fast: every APB at half the AHB.
  const uint32_t hpre = config.ahb_divider == 4 ? 9 : config.ahb_divider == 2 ? 8 : 0;
  reg(kRccD1Cfgr) = hpre | 4u << 4;
  reg(kRccD2Cfgr) = 4u << 4 | 4u << 8;
  reg(kRccD3Cfgr) = 4u << 4;
  reg(kRccCfgr) = (reg(kRccCfgr) & ~7u) | 3;  // SW = PLL1
  while ((reg(kRccCfgr) & 7u << 3) != 3u << 3) {
  }
}

}  // namespace mcusim::target
