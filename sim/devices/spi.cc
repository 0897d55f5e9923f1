// SPDX-License-Identifier: MIT
// SPI as a master with nothing on its bus: frames are sent at once, what comes back is an
// idle line (all ones). RM0433 chapter 50 (STM32H7), RM0385 chapter 32 (STM32F7).
// No interrupts and no DMA requests.
#include <algorithm>
#include <bit>

#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kIdleLine = 0xFFFFFFFF;

class SpiH7 : public Device {
 public:
  explicit SpiH7(const DeviceRow& row) : Device(row.name, row.base, 0x100) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    stop();
    enabled_ = false;
    frames_ = 0;
    frame_bytes_ = 1;
    mode_ = 0;
    return {{kCfg1, 0x00070007}};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == kSr)
      return (enabled_ ? kTxp : 0) | (waiting_ ? kRxp : 0) | kTxc | flags_;
    if (offset != kRxdr) return stored;
    waiting_ -= waiting_ != 0;
    return kIdleLine;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t stored) override {
    switch (offset) {
      case kCr1:
        if (!(merged & kSpe)) stop();
        enabled_ = merged & kSpe;
        if (merged & kSuspend) flags_ |= kSusp;
        if ((merged & kStart) && mode_ == kReceiveOnly) send(frames_);
        return merged & ~(kStart | kSuspend);
      case kCr2: frames_ = merged & 0xFFFF; return merged;
      case kCfg1: frame_bytes_ = ((merged & 0x1F) + 8) / 8; return merged;
      case kCfg2: mode_ = merged >> 17 & 3; return merged;
      case kSr: return stored;                                 // read-only
      case kIfcr: flags_ &= ~merged; return 0;
      case kTxdr:
        send(std::max(1u, static_cast<uint32_t>(std::popcount(mask)) / 8 / frame_bytes_));
        return 0;
      default: return merged;
    }
  }

 private:
  static constexpr uint32_t kCr1 = 0x00, kCr2 = 0x04, kCfg1 = 0x08, kCfg2 = 0x0C, kSr = 0x14,
                            kIfcr = 0x18, kTxdr = 0x20, kRxdr = 0x30;
  static constexpr uint32_t kSpe = 1, kStart = 1u << 9, kSuspend = 1u << 10;
  static constexpr uint32_t kRxp = 1, kTxp = 2, kEot = 8, kTxtf = 16, kSusp = 1u << 11,
                            kTxc = 1u << 12;
  static constexpr uint32_t kTransmitOnly = 1, kReceiveOnly = 2;   // CFG2.COMM

  void stop() { sent_ = waiting_ = flags_ = 0; }
  void send(uint32_t frames) {
    sent_ += frames;
    if (mode_ != kTransmitOnly) waiting_ += frames;
    if (frames_ != 0 && sent_ >= frames_) flags_ |= kEot | kTxtf;
  }

  bool enabled_ = false;
  uint32_t frames_ = 0, frame_bytes_ = 1, mode_ = 0;
  uint32_t sent_ = 0, waiting_ = 0, flags_ = 0;
};

class SpiF7 : public Device {
 public:
  explicit SpiF7(const DeviceRow& row) : Device(row.name, row.base, 0x24) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    waiting_ = 0;
    return {};
  }
  // SR: TXE, RXNE and its level; never busy.
  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset == 0x08) return 1u << 1 | (waiting_ ? 1u | 1u << 9 : 0);
    if (offset != 0x0C) return stored;
    waiting_ -= waiting_ != 0;
    return kIdleLine & 0xFFFF;
  }
  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    if (offset == 0x0C) ++waiting_;
    if (offset == 0x00 && !(merged & 1u << 6)) waiting_ = 0;   // SPE off
    return merged;
  }

 private:
  uint32_t waiting_ = 0;
};

}  // namespace

DevicePtr make_spi_h7(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<SpiH7>(row);
}
DevicePtr make_spi_f7(const DeviceRow& row, MachinePort&, const Bus&, const DeviceOptions&) {
  return std::make_unique<SpiF7>(row);
}

}  // namespace mcusim
