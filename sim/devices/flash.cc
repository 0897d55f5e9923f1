// SPDX-License-Identifier: MIT
// Flash controller: latency for the timing model, and erasing and programming with the
// unlock sequence. Both finish at once (their time is not modelled). RM0433 4.9 (H743),
// RM0455 4.9 (H7A3), RM0385 3.7 (F7).
#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

// Where a family keeps its bits; offsets are those of the first bank.
struct Layout {
  uint32_t cr, sr, clear;                    // clear: 0 when flags are cleared in SR itself
  uint32_t lock, start, mass;                // bits of CR
  uint32_t sector_shift, sector_mask;
  uint32_t end_flag;                         // bit of SR
  uint32_t banks;
};
constexpr Layout kH743 = {0x0C, 0x10, 0x14, 0, 7, 3, 8, 7, 16, 2};
constexpr Layout kH7a3 = {0x0C, 0x10, 0x14, 0, 5, 3, 6, 0x7F, 16, 2};
constexpr Layout kF7 = {0x10, 0x0C, 0, 31, 16, 2, 3, 0x1F, 0, 1};
constexpr uint32_t kKey = 0x04, kFirstKey = 0x45670123, kSecondKey = 0xCDEF89AB;
constexpr uint32_t kBankStride = 0x100;
constexpr uint32_t kProgramH7 = 2, kSectorH7 = 4, kProgramF7 = 1, kSectorF7 = 2;

class Flash : public Device {
 public:
  Flash(const DeviceRow& row, MachinePort& port, const Board& board)
      : Device(row.name, row.base, 0x200), port_(port),
        reset_latency_(static_cast<uint32_t>(row.parameter)),
        layout_(board.startup == "stm32f7" ? kF7 : board.flash_sector_bytes == 8192 ? kH7a3 : kH743),
        sector_bytes_(board.flash_sector_bytes) {
    for (const Region& region : board.regions)
      if (region.kind == RegionKind::flash) memory_ = &region;
  }

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    std::vector<std::pair<uint32_t, uint32_t>> words = {{0, reset_latency_}};
    for (Bank& bank : banks_) bank = {1u << layout_.lock, 0, false};
    return words;
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    const uint32_t bank = offset / kBankStride;
    if (bank >= layout_.banks) return stored;
    if (offset % kBankStride == layout_.sr) return banks_[bank].flags;
    return offset % kBankStride == layout_.cr ? banks_[bank].control : stored;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t stored) override {
    if (offset == 0) {
      if ((merged ^ stored) & 0xF)
        port_.control(trace::Control::What::flash_wait_states, merged & 0xF);
      return merged;                         // reads back exactly what was written
    }
    const uint32_t number = offset / kBankStride, at = offset % kBankStride;
    if (number >= layout_.banks) return merged;
    Bank& bank = banks_[number];
    if (at == kKey) {
      if (bank.first_key && merged == kSecondKey) bank.control &= ~(1u << layout_.lock);
      bank.first_key = merged == kFirstKey;
      return 0;
    }
    if (at == layout_.sr) {
      if (layout_.clear == 0) bank.flags &= ~merged;
      return stored;
    }
    if (layout_.clear != 0 && at == layout_.clear) {
      bank.flags &= ~merged;
      return 0;
    }
    if (at == layout_.cr) control(bank, number, merged);
    return merged;
  }

 private:
  struct Bank {
    uint32_t control, flags;
    bool first_key;
  };

  void control(Bank& bank, uint32_t number, uint32_t value) {
    if (bank.control & 1u << layout_.lock) return;
    bank.control = value & ~(1u << layout_.start);
    const bool programs = value & (layout_.banks == 1 ? kProgramF7 : kProgramH7);
    const bool erases = value & 1u << layout_.start;
    port_.program_flash(programs);
    if (erases) erase(number, value);
    if (programs || erases) bank.flags |= 1u << layout_.end_flag;
  }

  void erase(uint32_t bank, uint32_t command) {
    if (memory_ == nullptr) return;
    const uint32_t bank_bytes = memory_->size_bytes / layout_.banks;
    const uint32_t first = memory_->base + bank * bank_bytes;
    if (command & 1u << layout_.mass) return port_.erase_flash(first, bank_bytes);
    if (!(command & (layout_.banks == 1 ? kSectorF7 : kSectorH7))) return;
    const uint32_t sector = command >> layout_.sector_shift & layout_.sector_mask;
    uint32_t begin = 0, size = 0;
    if (layout_.banks == 1) {
      // Four small sectors, one of four times that, then of eight times.
      const uint32_t unit = sector_bytes_;
      size = sector < 4 ? unit : sector == 4 ? 4 * unit : 8 * unit;
      begin = sector < 4 ? sector * unit : sector == 4 ? 4 * unit : (sector - 4) * 8 * unit;
    } else {
      size = sector_bytes_;
      begin = sector * size;
    }
    if (begin < bank_bytes) port_.erase_flash(first + begin, size);
  }

  MachinePort& port_;
  uint32_t reset_latency_;
  Layout layout_;
  uint32_t sector_bytes_;
  const Region* memory_ = nullptr;
  Bank banks_[2];
};

}  // namespace

DevicePtr make_flash(const DeviceRow& row, MachinePort& port, const Bus&,
                     const DeviceOptions& options) {
  return std::make_unique<Flash>(row, port, *options.board);
}

}  // namespace mcusim
