// SPDX-License-Identifier: MIT
// RCC of the STM32H7 and STM32F7: ready bits follow their enables when read (never
// stored: firmware waits for both edges), the switch status follows the switch, and
// the clocks that the registers describe are announced whenever they change.
#include "sim/devices/board_devices.h"

namespace mcusim {
namespace {

struct ReadyBit {
  uint32_t enable, ready;
};
constexpr ReadyBit kReadyH7[] = {{0, 2},   {7, 8},   {12, 13}, {16, 17},
                                 {24, 25}, {26, 27}, {28, 29}};          // RM0433 8.7.2
constexpr ReadyBit kReadyF7[] = {{0, 1}, {16, 17}, {24, 25}, {26, 27}, {28, 29}};  // RM0385 5.3.1

// BDCR and CSR, at the same offsets on both: LSE and LSI.
constexpr uint32_t kBdcr = 0x70, kCsr = 0x74;
constexpr ReadyBit kReadySlow[] = {{0, 1}};

template <size_t n>
uint32_t with_ready(uint32_t control, const ReadyBit (&bits)[n]) {
  for (const auto& bit : bits) {
    control &= ~(1u << bit.ready);
    control |= (control >> bit.enable & 1) << bit.ready;
  }
  return control;
}

// HPRE and D1CPRE: 0xxx = 1, then 2, 4, 8, 16, 64, 128, 256, 512.
uint32_t divider4(uint32_t field) {
  constexpr uint32_t kDivide[] = {2, 4, 8, 16, 64, 128, 256, 512};
  return field & 8 ? kDivide[field & 7] : 1;
}
// PPREx: 0xx = 1, then 2, 4, 8, 16.
uint32_t divider3(uint32_t field) { return field & 4 ? 2u << (field & 3) : 1; }

// Timers run at twice a divided APB clock.
uint64_t timer_clock(uint64_t bus_hz, uint32_t divider) {
  return divider == 1 ? bus_hz : 2 * bus_hz / divider;
}

class Rcc : public Device {
 public:
  Rcc(const DeviceRow& row, MachinePort& port, const Bus& bus, const DeviceOptions& options)
      : Device(row.name, row.base, 0x400), port_(port), bus_(bus), hse_hz_(options.board->hse_hz) {}

 protected:
  uint32_t stored(uint32_t offset) const {
    return offset == changed_offset_ ? changed_value_ : bus_.stored(base() + offset);
  }
  // After any write: derive the clocks with the new word in place.
  uint32_t changed(uint32_t offset, uint32_t value) {
    changed_offset_ = offset;
    changed_value_ = value;
    announce();
    changed_offset_ = ~0u;
    return value;
  }
  virtual void announce() = 0;

  MachinePort& port_;
  const Bus& bus_;
  uint64_t hse_hz_;

 private:
  uint32_t changed_offset_ = ~0u, changed_value_ = 0;
};

class RccH7 : public Rcc {
 public:
  using Rcc::Rcc;

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    return {{kCr, 0x83}, {0x28, 0x02020200}, {0x2C, 0x01FF0000},       // RM0433 8.7: reset values
            {0x30, 0x01010280}, {0x38, 0x01010280}, {0x40, 0x01010280}};
  }

  uint32_t read(uint32_t offset, uint32_t word) override {
    // Both domain clocks ready, the HSI divider in force.
    if (offset == kCr) return with_ready(word, kReadyH7) | 3u << 14 | 1u << 5;
    if (offset == kBdcr || offset == kCsr) return with_ready(word, kReadySlow);
    if (offset == kCfgr) return (word & ~0x38u) | (word & 7) << 3;
    return word;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    return changed(offset, merged);
  }

 private:
  static constexpr uint32_t kCr = 0x00, kCfgr = 0x10, kD1cfgr = 0x18, kD2cfgr = 0x1C;
  static constexpr uint32_t kPllSelect = 0x28, kPllConfig = 0x2C, kPll1Divide = 0x30,
                            kPll1Fraction = 0x34;
  static constexpr uint64_t kHsi = 64'000'000, kCsi = 4'000'000;

  uint64_t hsi() const { return kHsi >> (stored(kCr) >> 3 & 3); }

  uint64_t pll1_p() const {
    const uint32_t select = stored(kPllSelect), divide = stored(kPll1Divide);
    const uint64_t sources[] = {hsi(), kCsi, hse_hz_, 0};
    const uint32_t m = select >> 4 & 0x3F;
    if (m == 0) return 0;
    // VCO = source / M * (N + FRACN / 8192)
    const uint64_t n = (uint64_t{divide & 0x1FF} + 1) << 13;
    const uint64_t fraction = stored(kPllConfig) & 1 ? stored(kPll1Fraction) >> 3 & 0x1FFF : 0;
    const uint64_t vco = sources[select & 3] * (n + fraction) / m >> 13;
    return vco / ((divide >> 9 & 0x7F) + 1);
  }

  void announce() override {
    const uint64_t system[] = {hsi(), kCsi, hse_hz_, pll1_p()};
    const uint64_t sysclk = system[stored(kCfgr) & 3];
    if (sysclk == 0) return;
    const uint32_t d1 = stored(kD1cfgr);
    const uint32_t apb1 = divider3(stored(kD2cfgr) >> 4 & 7), apb2 = divider3(stored(kD2cfgr) >> 8 & 7);
    const uint64_t core = sysclk / divider4(d1 >> 8 & 0xF);
    const uint64_t axi = core / divider4(d1 & 0xF);
    port_.set_clocks({core, axi, timer_clock(axi, apb1), timer_clock(axi, apb2)});
  }
};

class RccF7 : public Rcc {
 public:
  using Rcc::Rcc;

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    return {{kCr, 0x83}, {kPllcfgr, 0x24003010}};                      // RM0385 5.3: reset values
  }

  uint32_t read(uint32_t offset, uint32_t word) override {
    if (offset == kCr) return with_ready(word, kReadyF7);
    if (offset == kBdcr || offset == kCsr) return with_ready(word, kReadySlow);
    if (offset == kCfgr) return (word & ~0xCu) | (word & 3) << 2;
    return word;
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    return changed(offset, merged);
  }

 private:
  static constexpr uint32_t kCr = 0x00, kPllcfgr = 0x04, kCfgr = 0x08;
  static constexpr uint64_t kHsi = 16'000'000;

  void announce() override {
    const uint32_t pll = stored(kPllcfgr), config = stored(kCfgr);
    const uint32_t m = pll & 0x3F;
    const uint64_t source = pll & 1u << 22 ? hse_hz_ : kHsi;
    const uint64_t pll_hz = m == 0 ? 0 : source * (pll >> 6 & 0x1FF) / m / (((pll >> 16 & 3) + 1) * 2);
    const uint64_t system[] = {kHsi, hse_hz_, pll_hz, 0};
    const uint64_t sysclk = system[config & 3];
    if (sysclk == 0) return;
    const uint64_t core = sysclk / divider4(config >> 4 & 0xF);
    const uint32_t apb1 = divider3(config >> 10 & 7), apb2 = divider3(config >> 13 & 7);
    port_.set_clocks({core, core, timer_clock(core, apb1), timer_clock(core, apb2)});
  }
};

class PwrH7 : public Device {
 public:
  PwrH7(const DeviceRow& row, const Bus& bus) : Device(row.name, row.base, 0x400), bus_(bus) {}
  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    return {{0x18, 0x4000}};                                            // VOS3
  }
  uint32_t read(uint32_t offset, uint32_t stored) override {
    switch (offset) {
      case 0x08: return (stored & ~(1u << 16)) | (stored & 1) << 16;    // BRRDY follows BREN
      case 0x04: return (stored & ~0xC000u) | 1u << 13 | (bus_.stored(base() + 0x18) & 0xC000);
      case 0x0C: return (stored & ~(1u << 26)) | 1u << 16 | (stored >> 24 & 1) << 26;
      case 0x18: return stored | 1u << 13;                              // VOSRDY
      default: return stored;
    }
  }

 private:
  const Bus& bus_;
};

class PwrF7 : public Device {
 public:
  PwrF7(const DeviceRow& row, const Bus& bus) : Device(row.name, row.base, 0x10), bus_(bus) {}
  uint32_t read(uint32_t offset, uint32_t stored) override {
    if (offset != 4) return stored;                                     // CSR1
    return (stored & ~0x30008u) | 1u << 14 | (bus_.stored(base()) & 0x30000) |
           (stored >> 9 & 1) << 3;                                      // BRR follows BRE
  }

 private:
  const Bus& bus_;
};

}  // namespace

DevicePtr make_rcc_h7(const DeviceRow& row, MachinePort& port, const Bus& bus,
                      const DeviceOptions& options) {
  return std::make_unique<RccH7>(row, port, bus, options);
}
DevicePtr make_rcc_f7(const DeviceRow& row, MachinePort& port, const Bus& bus,
                      const DeviceOptions& options) {
  return std::make_unique<RccF7>(row, port, bus, options);
}
DevicePtr make_pwr_h7(const DeviceRow& row, MachinePort&, const Bus& bus, const DeviceOptions&) {
  return std::make_unique<PwrH7>(row, bus);
}
DevicePtr make_pwr_f7(const DeviceRow& row, MachinePort&, const Bus& bus, const DeviceOptions&) {
  return std::make_unique<PwrF7>(row, bus);
}

}  // namespace mcusim
