// SPDX-License-Identifier: MIT
// Serial ports. The USART of STM32H7/F7: always ready to send, one received byte at a
// time, its interrupt a level. A byte is handed over only when RXNE is clear and RXNEIE
// set, so nothing is lost however slowly the firmware reads. RM0433 chapter 48.
#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kCr1 = 0x00, kIsr = 0x1C, kRdr = 0x24, kTdr = 0x28;
constexpr uint32_t kUe = 1, kRe = 1u << 2, kTe = 1u << 3, kRxneie = 1u << 5, kTcie = 1u << 6,
                   kTxeie = 1u << 7;
constexpr uint32_t kRxne = 1u << 5, kTc = 1u << 6, kTxe = 1u << 7, kTeack = 1u << 21,
                   kReack = 1u << 22;

class Usart : public Device {
 public:
  Usart(const DeviceRow& row, MachinePort& port, bool without_interrupt)
      : Device(row.name, row.base, 0x30), port_(port), interrupt_(row.interrupt),
        without_interrupt_(without_interrupt) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    control_ = 0;
    has_byte_ = false;
    byte_ = 0;
    return {};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kIsr) {
      poll();
      return kTxe | kTc | (has_byte_ ? kRxne : 0) | (enabled(kTe) ? kTeack : 0) |
             (enabled(kRe) ? kReack : 0);
    }
    if (offset != kRdr) return stored;
    has_byte_ = false;
    const uint32_t value = byte_;
    poll();
    update_line();
    return value;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    if (offset == kTdr) {
      port_.console(static_cast<char>(merged));
      return 0;
    }
    if (offset == kIsr) return stored;       // read-only
    if (offset == kCr1) {
      control_ = merged;
      poll();
      update_line();
    }
    return merged;
  }

  void poll() override {
    if (has_byte_ || !enabled(kRe) || !(without_interrupt_ || (control_ & kRxneie))) return;
    const std::optional<uint8_t> next = port_.input();
    if (!next) return;
    byte_ = *next;
    has_byte_ = true;
    update_line();
  }

 private:
  bool enabled(uint32_t direction) const { return (control_ & kUe) && (control_ & direction); }
  void update_line() {
    const bool receives = has_byte_ && (control_ & kRxneie);
    port_.set_line(interrupt_, receives || (control_ & (kTcie | kTxeie)) != 0);
  }

  MachinePort& port_;
  uint32_t interrupt_;
  bool without_interrupt_;
  uint32_t control_ = 0;
  bool has_byte_ = false;
  uint8_t byte_ = 0;
};

// UART of the Arm MPS2 images: DATA, STATE (never full), CTRL, INT, BAUDDIV.
class CmsdkUart : public Device {
 public:
  CmsdkUart(const DeviceRow& row, MachinePort& port) : Device(row.name, row.base, 0x14), port_(port) {}
  uint32_t read(uint32_t offset, uint32_t stored) override { return offset == 4 ? 0 : stored; }
  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    if (offset == 0) port_.console(static_cast<char>(merged));
    return offset == 0 ? 0 : merged;
  }

 private:
  MachinePort& port_;
};

}  // namespace

DevicePtr make_usart(const DeviceRow& row, MachinePort& port, const Bus&,
                     const DeviceOptions& options) {
  return std::make_unique<Usart>(row, port, options.input_without_interrupt);
}
DevicePtr make_cmsdk_uart(const DeviceRow& row, MachinePort& port, const Bus&,
                          const DeviceOptions&) {
  return std::make_unique<CmsdkUart>(row, port);
}

}  // namespace mcusim
