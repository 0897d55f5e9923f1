// SPDX-License-Identifier: MIT
// Devices around the core, by board family (Board::startup). A family is rows of one
// table (board_devices.cc): address, what it is, its interrupt.
#pragma once

#include "sim/devices/core_devices.h"

namespace mcusim {

// Adds the core's own devices and the family's rows; everything else is storage.
void add_devices(Bus& bus, MachinePort& port, Nvic& nvic, const DeviceOptions& options);

struct DeviceRow {
  const char* family;      // Board::startup
  const char* name;
  uint32_t base;
  uint32_t interrupt;      // number of the external interrupt, if it has one
  DevicePtr (*make)(const DeviceRow& row, MachinePort& port, const Bus& bus,
                    const DeviceOptions& options);
  uint64_t parameter = 0;  // of this row: width of a timer, identity word, ...
};

// Beside the width of a timer: it runs from APB2, not APB1.
inline constexpr uint64_t kApb2 = 256;

DevicePtr make_rcc_h7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_rcc_f7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_pwr_h7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_pwr_f7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_flash(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_constant(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_usart(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_cmsdk_uart(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_timer(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_gpio(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_rtc(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_rng(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_spi_h7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_spi_f7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_adc_h7(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);
DevicePtr make_crc(const DeviceRow&, MachinePort&, const Bus&, const DeviceOptions&);

// Clocks after reset, before the guest wrote any clock register.
struct ResetClocks {
  Clocks clocks;
  uint32_t flash_wait_states;
};
ResetClocks reset_clocks(const Board& board);

}  // namespace mcusim
