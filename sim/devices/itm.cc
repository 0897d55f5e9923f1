// SPDX-License-Identifier: MIT
// ITM stimulus ports, 0xE0000000: port 0 is console text, ports 1 to 31 are marks.
// The trace port seems enabled and always ready, as with a trace probe attached.
#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

constexpr uint32_t kPorts = 32, kTraceEnable = 0xE00, kTraceControl = 0xE80;

class Itm : public Device {
 public:
  explicit Itm(MachinePort& port) : Device("ITM", 0xE0000000, 0x1000), port_(port) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    return {{kTraceEnable, ~0u}, {kTraceControl, 1}};
  }

  uint32_t read(uint32_t offset, uint32_t stored) override {
    return offset < 4 * kPorts ? 1 : stored;     // 1: ready for the next word
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t mask, uint32_t) override {
    if (offset >= 4 * kPorts) return merged;
    const uint32_t value = merged & mask;
    if (offset != 0) {
      port_.mark(offset / 4, value);
    } else {
      for (uint32_t lane = 0; lane < 4; ++lane)
        if ((mask >> 8 * lane & 0xff) && (lane == 0 || (value >> 8 * lane & 0xff)))
          port_.console(static_cast<char>(value >> 8 * lane));
    }
    return 0;
  }

 private:
  MachinePort& port_;
};

}  // namespace

DevicePtr make_itm(MachinePort& port) { return std::make_unique<Itm>(port); }

}  // namespace mcusim
