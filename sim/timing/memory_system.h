// SPDX-License-Identifier: MIT
// The memory system: caches with fills in flight, the store buffer, the TCM store
// queue, buses with their clock ratio. It answers one question: how many cycles does
// this access freeze the pipeline, and why. Copyable, so that time can be tried out.
//
// Invariant: an access that quick() accepts while idle() changes nothing and costs
// nothing, and access() would do and say the same.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "memmap/board.h"
#include "sim/timing/cache.h"
#include "sim/timing/estimator.h"
#include "sim/timing/parameters.h"
#include "sim/timing/store_buffer.h"
#include "sim/timing/timing_table.h"
#include "traces/events.h"

namespace mcusim::timing {

struct Stall {
  uint32_t cycles = 0;
  Cause cause = Cause::issued;
};

// What the address map says of 16 KiB of addresses.
struct Place {
  RegionKind kind = RegionKind::peripheral;
  CachePolicy cache = CachePolicy::none;
  bool tcm = false;
  bool operator==(const Place&) const = default;
};

class MemorySystem {
 public:
  MemorySystem(const Board& board, const Parameters& parameters);
  const Spread& spread() const { return spread_; }
  void observe(MemoryObserver* observer) { observer_ = observer; }

  void control(const trace::Control& control, uint64_t now);

  // Whether nothing is under way that an access could meet.
  bool idle(uint64_t now) const { return now >= busy_until_; }
  bool quick(const trace::Access& access) const {
    const uint8_t place = map_[access.address >> kGranuleBits];
    if (place == kTcmPlace)
      return !access.is_write ||
             (access.bytes >= 4 && (access.address & (access.bytes - 1u) & 3u) == 0);
    if (!data_.enabled || !write_back_[place]) {
      return data_.enabled && cacheable_[place] && !access.is_write && data_.holds(access.address);
    }
    return access.is_write ? data_.holds_dirty(access.address) : data_.holds(access.address);
  }
  // Stall of one access that starts at `now`.
  Stall access(const trace::Access& access, uint64_t now);
  Stall barrier(uint64_t now) const;

  // Instruction fetch of the line (or, uncached, of the 64-bit entry) at `address`.
  bool fetch_is_free(uint32_t address) const { return map_[address >> kGranuleBits] == kTcmPlace; }
  bool caches_instructions(uint32_t address) const;
  Stall fetch_line(uint32_t address, uint64_t now, bool sequential);
  Stall fetch_entry(uint32_t address, bool sequential);
  // Whether code of this range would be fetched without a stall, until the generation changes.
  bool resident(uint32_t address, uint32_t bytes) const;
  uint64_t instruction_generation() const { return instruction_generation_ + code_.generation(); }
  uint32_t line_bytes() const { return code_.line_bytes(); }
  template <typename Archive>
  void carry(Archive& archive);      // memory_state.h

  // For steady(), as in store_buffer.h.
  bool same_but_times(const MemorySystem& other) const;
  template <typename Visit>
  void times(Visit visit) {
    for (Fill& fill : fills_) visit(fill.first), visit(fill.done);
    stores_.times(visit);
    tcm_stores_.times(visit);
    visit(bus_free_);
    visit(busy_until_);
  }
  void add_spread(const Spread& spread) {
    spread_.below += spread.below;
    spread_.above += spread.above;
  }

 private:
  static constexpr int kGranuleBits = 14;
  static constexpr uint8_t kTcmPlace = 1;
  static constexpr size_t kMaxPlaces = 250;
  struct Fill {
    uint32_t line = ~0u;
    uint32_t critical = 0;      // address of the first beat
    uint64_t first = 0, done = 0;
  };

  uint8_t place_id(const Place& place);
  void note_cacheability(uint8_t id);
  void map_region(uint32_t base, uint64_t bytes, const Place& place);
  const Place& place_of(uint32_t address) const { return places_[map_[address >> kGranuleBits]]; }
  uint64_t core(double axi_cycles) const;
  uint64_t first_word(const Place& place) const { return first_word(parameters_, place); }
  uint64_t first_word(const Parameters& parameters, const Place& place) const;
  void spread_first_word(const Place& place);
  uint64_t beat(const Place& place) const;
  uint64_t write_cycles(const Place& place) const;
  // Begins a line fill; the critical beat arrives at the returned fill's `first`.
  const Fill& start_fill(uint32_t address, const Place& place, uint64_t now);
  uint64_t arrival(const Fill& fill, uint32_t address, const Place& place) const;
  Stall load(const trace::Access& access, const Place& place, uint64_t now);
  Stall store(const trace::Access& access, const Place& place, uint64_t now);
  void maintain_line(const trace::Control& control, bool clean, bool invalidate, uint64_t now);
  void set_mpu_region(const trace::Control& control);
  template <typename Archive>
  void carry_map(Archive& archive);

  void missed(Miss miss, uint32_t address) const {
    if (observer_) observer_->missed(miss, address);
  }

  Parameters parameters_, low_, high_;
  Spread spread_;
  using Map = std::vector<uint8_t>;   // granule to place
  std::shared_ptr<const Map> shared_map_;   // copies of this share it
  std::shared_ptr<const Map> board_map_;    // without an MPU
  const uint8_t* map_ = nullptr;
  std::array<std::pair<uint32_t, uint32_t>, 16> regions_{};   // RBAR, RASR of the MPU
  std::vector<Place> places_;
  std::array<bool, 256> cacheable_{}, write_back_{};
  Cache code_, data_;
  std::vector<Fill> fills_;
  StoreBuffer stores_;
  TcmStoreQueue tcm_stores_;
  uint64_t bus_free_ = 0, busy_until_ = 0, instruction_generation_ = 0;
  double axi_ratio_ = 1, core_hz_ = 1, axi_hz_ = 1;
  uint32_t wait_states_ = 0;
  MemoryObserver* observer_ = nullptr;
};

Cause miss_cause(RegionKind kind);

}  // namespace mcusim::timing
