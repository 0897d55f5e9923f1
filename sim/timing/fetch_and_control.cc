// SPDX-License-Identifier: MIT
// Instruction side of the memory system, and what the guest changes of it: cache
// enables and maintenance, clocks, wait states, MPU regions.
#include <algorithm>

#include "memmap/base/error.h"
#include "sim/timing/memory_system.h"

namespace mcusim::timing {

bool MemorySystem::caches_instructions(uint32_t address) const {
  return code_.enabled && place_of(address).cache != CachePolicy::none;
}

bool MemorySystem::resident(uint32_t address, uint32_t bytes) const {
  if (!caches_instructions(address)) return false;
  for (uint32_t at = code_.line_of(address); at < address + bytes; at += code_.line_bytes())
    if (!code_.holds(at)) return false;
  return true;
}

Stall MemorySystem::fetch_line(uint32_t address, uint64_t now, bool sequential) {
  if (code_.holds(address)) return {};
  missed(Miss::instruction_fill, address);
  const Place& place = place_of(address);
  spread_first_word(place);
  const uint64_t start = std::max(now, bus_free_);
  const uint64_t first = start + first_word(place);
  code_.allocate(address);
  bus_free_ = first + (code_.line_bytes() / 8 - 1) * beat(place);
  busy_until_ = std::max(busy_until_, bus_free_);
  // Words behind the first arrive at bus speed while the core takes one entry a cycle.
  uint64_t stall =
      first - now + (code_.line_bytes() / 8 - 1) * (std::max<uint64_t>(beat(place), 1) - 1);
  // guess: running straight on, the four-entry fetch queue hides its own depth.
  if (sequential) stall -= std::min<uint64_t>(stall, kFetchQueueEntries);
  return {static_cast<uint32_t>(stall), Cause::instruction_fetch};
}

Stall MemorySystem::fetch_entry(uint32_t address, bool sequential) {
  // Uncached: each 64-bit entry is a bus read; a flash word of one line stays in the
  // flash interface, so its later entries cost the interconnect only.
  const Place& place = place_of(address);
  uint64_t cycles = first_word(place);
  const bool same_word = sequential && address % code_.line_bytes() >= 8;
  if (place.kind == RegionKind::flash && same_word) cycles = core(parameters_.flash_overhead);
  spread_first_word(place);
  return {static_cast<uint32_t>(cycles - std::min<uint64_t>(cycles, sequential ? 1 : 0)),
          Cause::instruction_fetch};
}

void MemorySystem::maintain_line(const trace::Control& control, bool clean, bool invalidate,
                                 uint64_t now) {
  uint32_t address = control.value;
  if (control.extra[0] != 0) {  // set and way: way in the top bits, set above the offset
    uint32_t way_shift = 32;
    for (uint32_t ways = data_.ways(); ways > 1; ways /= 2) --way_shift;
    const uint32_t way = data_.ways() > 1 ? control.value >> way_shift : 0;
    address = data_.line_at(control.value / data_.line_bytes() % data_.sets(), way);
    if (address == ~0u) return;
  }
  const Place& place = place_of(address);
  bool dirty = false;
  if (clean) dirty = data_.clean(address);
  if (invalidate) data_.invalidate(address);
  if (dirty) {
    bus_free_ = std::max(now, bus_free_) + data_.line_bytes() / 8 * write_cycles(place);
    busy_until_ = std::max(busy_until_, bus_free_);
  }
}

namespace {

// Cacheability of RASR's TEX, C, B (Armv7-M ARM table B3-13; outer attributes do not matter
// to the inner caches).
CachePolicy policy_of(uint32_t attributes) {
  const uint32_t tex = attributes >> 19 & 7, c = attributes >> 17 & 1, b = attributes >> 16 & 1;
  if (tex >= 4) {
    if ((tex & 3) == 0) return CachePolicy::none;
    return (tex & 3) == 2 ? CachePolicy::write_through : CachePolicy::write_back;
  }
  if (tex == 0 && c && !b) return CachePolicy::write_through;
  return tex <= 1 && c && b ? CachePolicy::write_back : CachePolicy::none;
}

}  // namespace

// The board's own map with all regions over it, the highest number on top; an eighth of a
// region whose SRD bit is set does not count. Granules of which a region covers less than
// half keep what they have.
void MemorySystem::set_mpu_region(const trace::Control& control) {
  regions_[control.value % regions_.size()] = {control.extra[0] & ~31u, control.extra[1]};
  Map map = *board_map_;
  constexpr uint64_t kGranule = uint64_t{1} << kGranuleBits;
  for (const auto& [base, attributes] : regions_) {
    if (!(attributes & 1)) continue;
    const uint64_t eighth = (uint64_t{2} << (attributes >> 1 & 31)) / 8;
    const auto covered = [&](uint64_t granule) {
      uint64_t bytes = 0;
      for (uint32_t i = 0; i < 8; ++i) {
        const uint64_t first = std::max<uint64_t>(base + i * eighth, granule);
        const uint64_t last = std::min(base + (i + 1) * eighth, granule + kGranule);
        if (!(attributes >> (8 + i) & 1) && last > first) bytes += last - first;
      }
      return 2 * bytes >= kGranule;
    };
    const uint64_t end = std::min<uint64_t>(base + 8 * eighth, uint64_t{1} << 32);
    for (uint64_t at = base & ~(kGranule - 1); at < end; at += kGranule) {
      uint8_t& entry = map[at >> kGranuleBits];
      Place place = places_[entry];
      if (place.tcm || place.kind == RegionKind::peripheral || place.kind == RegionKind::system ||
          !covered(at))
        continue;
      place.cache = policy_of(attributes);
      entry = place_id(place);
    }
  }
  shared_map_ = std::make_shared<const Map>(std::move(map));
  map_ = shared_map_->data();
  ++instruction_generation_;
}

void MemorySystem::control(const trace::Control& control, uint64_t now) {
  using enum trace::Control::What;
  switch (control.what) {
    case icache_enable: code_.enabled = control.value != 0; break;
    case dcache_enable: data_.enabled = control.value != 0; break;
    case icache_invalidate_all: code_.invalidate_all(); break;
    case dcache_invalidate_line: maintain_line(control, false, true, now); break;
    case dcache_clean_line: maintain_line(control, true, false, now); break;
    case dcache_clean_invalidate_line: maintain_line(control, true, true, now); break;
    case core_hz: core_hz_ = control.value; break;
    case axi_hz: axi_hz_ = control.value; break;
    case flash_wait_states: wait_states_ = control.value; break;
    case mpu_region: set_mpu_region(control); break;
    case branch_predictor_invalidate: case sleep: break;  // the estimator's own
  }
  if (core_hz_ <= 0 || axi_hz_ <= 0) throw Error("timing: clock of 0 Hz");
  axi_ratio_ = std::max(1.0, core_hz_ / axi_hz_);
  ++instruction_generation_;
}

}  // namespace mcusim::timing
