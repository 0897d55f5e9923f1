// SPDX-License-Identifier: MIT
// The table of board devices. Addresses and interrupt numbers: RM0433 table 8 and 148
// (STM32H743), RM0385 tables 1 and 46 (STM32F746), Arm AN500 table 3-1 (MPS2).
#include "sim/devices/board_devices.h"

#include <string_view>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

constexpr DeviceRow kRows[] = {
    {"stm32h7", "RCC", 0x58024400, 0, make_rcc_h7},
    {"stm32h7", "PWR", 0x58024800, 0, make_pwr_h7},
    // RM0433: latency 7 and WRHIGHFREQ 3 after reset.
    {"stm32h7", "FLASH", 0x52002000, 0, make_flash, 0x37},
    // Revision V of the H742/743/750/753; newer SystemInit reads it.
    {"stm32h7", "DBGMCU", 0x5C001000, 0, make_constant, 0x20036450},
    {"stm32h7", "CRC", 0x58024C00, 0, make_crc},
    {"stm32h7", "CRC", 0x40023000, 0, make_crc},         // its place on the STM32H7A3
    {"stm32h7", "USART1", 0x40011000, 37, make_usart},
    {"stm32h7", "USART2", 0x40004400, 38, make_usart},
    {"stm32h7", "USART3", 0x40004800, 39, make_usart},
    {"stm32h7", "UART4", 0x40004C00, 52, make_usart},
    {"stm32h7", "UART5", 0x40005000, 53, make_usart},
    {"stm32h7", "USART6", 0x40011400, 71, make_usart},
    {"stm32h7", "UART7", 0x40007800, 82, make_usart},
    {"stm32h7", "UART8", 0x40007C00, 83, make_usart},
    {"stm32h7", "LPUART1", 0x58000C00, 142, make_usart},
    {"stm32h7", "TIM2", 0x40000000, 28, make_timer, 32},
    {"stm32h7", "TIM3", 0x40000400, 29, make_timer, 16},
    {"stm32h7", "TIM4", 0x40000800, 30, make_timer, 16},
    {"stm32h7", "TIM5", 0x40000C00, 50, make_timer, 32},
    {"stm32h7", "TIM6", 0x40001000, 54, make_timer, 16},
    {"stm32h7", "TIM7", 0x40001400, 55, make_timer, 16},

    {"stm32f7", "RCC", 0x40023800, 0, make_rcc_f7},
    {"stm32f7", "PWR", 0x40007000, 0, make_pwr_f7},
    {"stm32f7", "FLASH", 0x40023C00, 0, make_flash, 0},
    {"stm32f7", "DBGMCU", 0xE0042000, 0, make_constant, 0x10016449},
    {"stm32f7", "CRC", 0x40023000, 0, make_crc},
    {"stm32f7", "USART1", 0x40011000, 37, make_usart},
    {"stm32f7", "USART2", 0x40004400, 38, make_usart},
    {"stm32f7", "USART3", 0x40004800, 39, make_usart},
    {"stm32f7", "UART4", 0x40004C00, 52, make_usart},
    {"stm32f7", "UART5", 0x40005000, 53, make_usart},
    {"stm32f7", "USART6", 0x40011400, 71, make_usart},
    {"stm32f7", "UART7", 0x40007800, 82, make_usart},
    {"stm32f7", "UART8", 0x40007C00, 83, make_usart},
    {"stm32f7", "TIM2", 0x40000000, 28, make_timer, 32},
    {"stm32f7", "TIM3", 0x40000400, 29, make_timer, 16},
    {"stm32f7", "TIM4", 0x40000800, 30, make_timer, 16},
    {"stm32f7", "TIM5", 0x40000C00, 50, make_timer, 32},
    {"stm32f7", "TIM6", 0x40001000, 54, make_timer, 16},
    {"stm32f7", "TIM7", 0x40001400, 55, make_timer, 16},

    {"mps2_an500", "UART0", 0x40004000, 0, make_cmsdk_uart},
};

// A read-only identity word at the start of a device.
class Constant : public Device {
 public:
  Constant(const DeviceRow& row)
      : Device(row.name, row.base, 4), value_(static_cast<uint32_t>(row.parameter)) {}
  uint32_t read(uint32_t, uint32_t) override { return value_; }

 private:
  uint32_t value_;
};

}  // namespace

DevicePtr make_constant(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<Constant>(row);
}

void add_devices(Bus& bus, MachinePort& port, Nvic& nvic, const DeviceOptions& options) {
  bus.add(make_scb(port, nvic, options));
  bus.add(make_systick(port));
  bus.add(std::make_unique<NvicDevice>(nvic));
  bus.add(make_mpu(port, options));
  bus.add(make_cache_operations(port));
  bus.add(make_core_debug(options));
  bus.add(make_dwt(port, bus));
  bus.add(make_itm(port));
  for (const auto& row : kRows)
    if (options.board->startup == row.family) bus.add(row.make(row, port, bus, options));
}

ResetClocks reset_clocks(const Board& board) {
  if (board.startup == "stm32h7") return {64'000'000, 64'000'000, 64'000'000, 7};  // HSI
  if (board.startup == "stm32f7") return {16'000'000, 16'000'000, 16'000'000, 0};  // HSI
  if (board.clocks.empty()) throw Error("board {}: no clock", board.name);
  const ClockPreset& preset = board.clocks.front();    // no clock registers are modelled
  return {preset.core_hz, preset.axi_hz, preset.core_hz, preset.flash_wait_states};
}

}  // namespace mcusim
