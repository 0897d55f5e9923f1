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
    {"stm32h7", "TIM1", 0x40010000, 25, make_timer, 16 | kApb2},
    {"stm32h7", "TIM8", 0x40010400, 44, make_timer, 16 | kApb2},
    {"stm32h7", "TIM12", 0x40001800, 43, make_timer, 16},
    {"stm32h7", "TIM14", 0x40002000, 45, make_timer, 16},
    {"stm32h7", "TIM15", 0x40014000, 116, make_timer, 16 | kApb2},
    {"stm32h7", "TIM16", 0x40014400, 117, make_timer, 16 | kApb2},
    {"stm32h7", "TIM17", 0x40014800, 118, make_timer, 16 | kApb2},
    {"stm32h7", "GPIOA", 0x58020000, 0, make_gpio},
    {"stm32h7", "GPIOB", 0x58020400, 0, make_gpio},
    {"stm32h7", "GPIOC", 0x58020800, 0, make_gpio},
    {"stm32h7", "GPIOD", 0x58020C00, 0, make_gpio},
    {"stm32h7", "GPIOE", 0x58021000, 0, make_gpio},
    {"stm32h7", "GPIOF", 0x58021400, 0, make_gpio},
    {"stm32h7", "GPIOG", 0x58021800, 0, make_gpio},
    {"stm32h7", "GPIOH", 0x58021C00, 0, make_gpio},
    {"stm32h7", "GPIOI", 0x58022000, 0, make_gpio},
    {"stm32h7", "GPIOJ", 0x58022400, 0, make_gpio},
    {"stm32h7", "GPIOK", 0x58022800, 0, make_gpio},
    {"stm32h7", "SPI1", 0x40013000, 0, make_spi_h7},
    {"stm32h7", "SPI2", 0x40003800, 0, make_spi_h7},
    {"stm32h7", "SPI3", 0x40003C00, 0, make_spi_h7},
    {"stm32h7", "SPI4", 0x40013400, 0, make_spi_h7},
    {"stm32h7", "SPI5", 0x40015000, 0, make_spi_h7},
    {"stm32h7", "SPI6", 0x58001400, 0, make_spi_h7},
    {"stm32h7", "ADC1", 0x40022000, 18, make_adc_h7},
    {"stm32h7", "ADC2", 0x40022100, 18, make_adc_h7},
    {"stm32h7", "ADC3", 0x58026000, 127, make_adc_h7},
    {"stm32h7", "RTC", 0x58004000, 0, make_rtc},
    {"stm32h7", "RNG", 0x48021800, 0, make_rng},

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
    {"stm32f7", "TIM1", 0x40010000, 25, make_timer, 16 | kApb2},
    {"stm32f7", "TIM8", 0x40010400, 44, make_timer, 16 | kApb2},
    {"stm32f7", "TIM9", 0x40014000, 24, make_timer, 16 | kApb2},
    {"stm32f7", "TIM11", 0x40014800, 26, make_timer, 16 | kApb2},
    {"stm32f7", "TIM12", 0x40001800, 43, make_timer, 16},
    {"stm32f7", "TIM14", 0x40002000, 45, make_timer, 16},
    {"stm32f7", "GPIOA", 0x40020000, 0, make_gpio},
    {"stm32f7", "GPIOB", 0x40020400, 0, make_gpio},
    {"stm32f7", "GPIOC", 0x40020800, 0, make_gpio},
    {"stm32f7", "GPIOD", 0x40020C00, 0, make_gpio},
    {"stm32f7", "GPIOE", 0x40021000, 0, make_gpio},
    {"stm32f7", "GPIOF", 0x40021400, 0, make_gpio},
    {"stm32f7", "GPIOG", 0x40021800, 0, make_gpio},
    {"stm32f7", "GPIOH", 0x40021C00, 0, make_gpio},
    {"stm32f7", "GPIOI", 0x40022000, 0, make_gpio},
    {"stm32f7", "GPIOJ", 0x40022400, 0, make_gpio},
    {"stm32f7", "GPIOK", 0x40022800, 0, make_gpio},
    {"stm32f7", "SPI1", 0x40013000, 0, make_spi_f7},
    {"stm32f7", "SPI2", 0x40003800, 0, make_spi_f7},
    {"stm32f7", "SPI3", 0x40003C00, 0, make_spi_f7},
    {"stm32f7", "SPI4", 0x40013400, 0, make_spi_f7},
    {"stm32f7", "SPI5", 0x40015000, 0, make_spi_f7},
    {"stm32f7", "SPI6", 0x40015400, 0, make_spi_f7},
    {"stm32f7", "RTC", 0x40002800, 0, make_rtc},
    {"stm32f7", "RNG", 0x50060800, 0, make_rng},

    {"mps2_an500", "UART0", 0x40004000, 0, make_cmsdk_uart},
};

}  // namespace

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
  const auto all_at = [](uint64_t hz) { return Clocks{hz, hz, hz, hz}; };
  if (board.startup == "stm32h7") return {all_at(64'000'000), 7};  // HSI
  if (board.startup == "stm32f7") return {all_at(16'000'000), 0};  // HSI
  if (board.clocks.empty()) throw Error("board {}: no clock", board.name);
  const ClockPreset& preset = board.clocks.front();    // no clock registers are modelled
  return {{preset.core_hz, preset.axi_hz, preset.core_hz, preset.core_hz}, preset.flash_wait_states};
}

}  // namespace mcusim
