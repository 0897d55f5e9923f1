// SPDX-License-Identifier: MIT
// The devices of the Cortex-M7 itself, on the private peripheral bus. One file each;
// this header only makes them.
#pragma once

#include <memory>

#include "sim/devices/bus.h"
#include "sim/devices/device.h"
#include "sim/devices/nvic.h"

namespace mcusim {

using DevicePtr = std::unique_ptr<Device>;

DevicePtr make_scb(MachinePort& port, Nvic& nvic, const DeviceOptions& options);
DevicePtr make_systick(MachinePort& port);
DevicePtr make_mpu(MachinePort& port, const DeviceOptions& options);
DevicePtr make_cache_operations(MachinePort& port);
DevicePtr make_core_debug(const DeviceOptions& options);
DevicePtr make_dwt(MachinePort& port, const Bus& bus);
DevicePtr make_itm(MachinePort& port);

// Offsets from 0xE000ED00 that others read in storage.
inline constexpr uint32_t kScbBase = 0xE000ED00;
inline constexpr uint32_t kVtor = kScbBase + 0x08, kScr = kScbBase + 0x10, kCcr = kScbBase + 0x14;
inline constexpr uint32_t kDemcr = kScbBase + 0xFC;

}  // namespace mcusim
