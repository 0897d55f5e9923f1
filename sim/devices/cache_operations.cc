// SPDX-License-Identifier: MIT
// Cache maintenance, 0xE000EF00: nothing to do for the contents (guest memory is always
// coherent); each write becomes an event for the cache model. Armv7-M ARM B2.2.7.
// Operations by address carry the address; by set/way, the set/way word.
#include "sim/devices/core_devices.h"

namespace mcusim {
namespace {

using What = trace::Control::What;

struct Operation {
  uint32_t offset;
  What what;
  bool by_set_way;
};
constexpr Operation kOperations[] = {
    {0x50, What::icache_invalidate_all, false},           // ICIALLU
    {0x58, What::icache_invalidate_all, false},           // ICIMVAU: a line, taken as all
    {0x5C, What::dcache_invalidate_line, false},          // DCIMVAC
    {0x60, What::dcache_invalidate_line, true},           // DCISW
    {0x64, What::dcache_clean_line, false},               // DCCMVAU
    {0x68, What::dcache_clean_line, false},               // DCCMVAC
    {0x6C, What::dcache_clean_line, true},                // DCCSW
    {0x70, What::dcache_clean_invalidate_line, false},    // DCCIMVAC
    {0x74, What::dcache_clean_invalidate_line, true},     // DCCISW
    {0x78, What::branch_predictor_invalidate, false},     // BPIALL
};
constexpr uint32_t kStir = 0x00, kFpccr = 0x34;

class CacheOperations : public Device {
 public:
  explicit CacheOperations(MachinePort& port) : Device("SCS", 0xE000EF00, 0x100), port_(port) {}

  std::vector<std::pair<uint32_t, uint32_t>> reset() override {
    return {{kFpccr, 0xC0000000}};                        // ASPEN and LSPEN
  }

  uint32_t write(uint32_t offset, uint32_t merged, uint32_t, uint32_t) override {
    if (offset == kStir) {
      port_.pend(kFirstInterrupt + (merged & 0x1FF));
      return 0;
    }
    for (const auto& operation : kOperations) {
      if (operation.offset != offset) continue;
      port_.control(operation.what, merged, operation.by_set_way);
      return 0;                                           // write only
    }
    return merged;
  }

 private:
  MachinePort& port_;
};

}  // namespace

DevicePtr make_cache_operations(MachinePort& port) {
  return std::make_unique<CacheOperations>(port);
}

}  // namespace mcusim
