// SPDX-License-Identifier: MIT
// System control block, 0xE000ED00-0xE000ED8F: vectors, priorities, cache enables and
// cache geometry, FPU access. Register layout: Armv7-M ARM B3.2; CPUID, CLIDR and CTR
// values: DDI 0489F (Cortex-M7 TRM) table 3-1.
#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

enum Offset : uint32_t {
  kCpuid = 0x00, kIcsr = 0x04, kVtorOffset = 0x08, kAircr = 0x0C, kScrOffset = 0x10,
  kCcrOffset = 0x14, kShpr1 = 0x18, kShpr3 = 0x20, kClidr = 0x78, kCtr = 0x7C, kCcsidr = 0x80,
  kCsselr = 0x84, kCpacr = 0x88, kCfsr = 0x28, kHfsr = 0x2C,
};
constexpr uint32_t kIcacheBit = 1u << 17, kDcacheBit = 1u << 16;

// CCSIDR: sets - 1 in 27:13, ways - 1 in 12:3, log2(words per line) - 2 in 2:0; the top
// nibble says which policies exist.
uint32_t ccsidr(const CacheGeometry& cache) {
  if (cache.size_bytes == 0) return 0;
  uint32_t line = 0;
  while ((4u << (line + 2)) < cache.line_bytes) ++line;
  return 0xF0000000 | (cache.sets() - 1) << 13 | (cache.ways - 1) << 3 | line;
}

class Scb : public Device {
 public:
  Scb(MachinePort& port, Nvic& nvic, const DeviceOptions& options)
      : Device("SCB", kScbBase, 0x90), port_(port), nvic_(nvic), board_(*options.board) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    select_ = 0;
    return {{kCpuid, 0x411FC271},           // Cortex-M7 r1p1
            {kVtorOffset, board_.initial_vtor},
            {kCcrOffset, 0x00040200},       // BP and STKALIGN read as one
            {kClidr, 0x09000003},           // separate level-1 caches
            {kCtr, 0x8303C003}};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    switch (offset) {
      case kIcsr: {
        uint32_t pending = 0;
        for (uint32_t e = kExceptions - 1; e > 0; --e)
          if (nvic_.pending(e) && nvic_.enabled(e)) pending = e;
        return nvic_.current() | pending << 12 | uint32_t{nvic_.depth() == 1} << 11 |
               uint32_t{nvic_.pending(kSysTick)} << 26 | uint32_t{nvic_.pending(kPendSv)} << 28;
      }
      case kAircr: return 0xFA050000 | (stored & 0x700);
      case kCcsidr: return ccsidr(select_ & 1 ? board_.icache : board_.dcache);
      case kShpr1: case kShpr1 + 4: case kShpr3: {
        uint32_t word = 0;
        for (uint32_t i = 0; i < 4; ++i)
          word |= uint32_t{nvic_.priority(4 + offset - kShpr1 + i)} << 8 * i;
        return word;
      }
      default: return stored;
    }
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t stored) override {
    switch (offset) {
      case kCpuid: case kClidr: case kCtr: case kCcsidr: return stored;   // read-only
      case kIcsr: write_icsr(merged & mask); return 0;
      case kAircr: return write_aircr(merged, stored);
      case kCcrOffset: return write_ccr(merged, stored);
      case kShpr1: case kShpr1 + 4: case kShpr3:
        for (uint32_t i = 0; i < 4; ++i)
          if (mask >> 8 * i & 0xff)
            nvic_.set_priority(4 + offset - kShpr1 + i, static_cast<uint8_t>(merged >> 8 * i));
        return 0;
      case kCsselr: select_ = merged; return merged & 0xF;
      case kCpacr: port_.set_fpu_enabled((merged >> 20 & 0xF) == 0xF); return merged & 0x00F00000;
      case kCfsr: case kHfsr: return stored & ~(merged & mask);          // cleared by ones
      case kVtorOffset: return merged & ~0x7Fu;
      default: return merged;
    }
  }

 private:
  void write_icsr(uint32_t value) {
    if (value & 1u << 31) nvic_.set_pending(kNmi, true);
    if (value & 1u << 28) nvic_.set_pending(kPendSv, true);
    if (value & 1u << 27) nvic_.set_pending(kPendSv, false);
    if (value & 1u << 26) nvic_.set_pending(kSysTick, true);
    if (value & 1u << 25) nvic_.set_pending(kSysTick, false);
  }

  uint32_t write_aircr(uint32_t value, uint32_t stored) {
    if (value >> 16 != 0x05FA) return stored;     // without the key the write is ignored
    if (value & 1u << 2) port_.request_reset();
    nvic_.set_priority_group(value >> 8);
    return value & 0x700;
  }

  uint32_t write_ccr(uint32_t value, uint32_t stored) {
    const uint32_t changed = value ^ stored;
    if (changed & kIcacheBit)
      port_.control(trace::Control::What::icache_enable, (value & kIcacheBit) != 0);
    if (changed & kDcacheBit)
      port_.control(trace::Control::What::dcache_enable, (value & kDcacheBit) != 0);
    port_.set_traps(value & 1u << 4, value & 1u << 3);
    return value;
  }

  MachinePort& port_;
  Nvic& nvic_;
  const Board& board_;
  uint32_t select_ = 0;
};

}  // namespace

DevicePtr make_scb(MachinePort& port, Nvic& nvic, const DeviceOptions& options) {
  return std::make_unique<Scb>(port, nvic, options);
}

}  // namespace mcusim
