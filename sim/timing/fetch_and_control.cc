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

void MemorySystem::set_mpu_region(const trace::Control& control) {
  // extra: RBAR, RASR (Armv7-M ARM B3.5). Regions apply in the order of their writing.
  const uint32_t base = control.extra[0] & ~31u, attributes = control.extra[1];
  if (!(attributes & 1)) return;
  const uint32_t size_field = attributes >> 1 & 31;
  const uint64_t bytes = uint64_t{2} << size_field;
  const uint32_t tex = attributes >> 19 & 7, c = attributes >> 17 & 1, b = attributes >> 16 & 1;
  CachePolicy policy = CachePolicy::none;
  if (tex == 0 && c && !b) policy = CachePolicy::write_through;
  else if ((tex == 0 || tex == 1) && c && b) policy = CachePolicy::write_back;
  else if (tex >= 4) policy = (tex & 3) == 0 ? CachePolicy::none
                            : (tex & 3) == 2 ? CachePolicy::write_through : CachePolicy::write_back;
  const uint64_t last = std::min<uint64_t>(uint64_t{base} + bytes, uint64_t{1} << 32);
  for (uint64_t at = base; at < last; at += uint64_t{1} << kGranuleBits) {
    Place place = place_of(static_cast<uint32_t>(at));
    if (place.tcm || place.kind == RegionKind::peripheral || place.kind == RegionKind::system)
      continue;
    place.cache = policy;
    map_[at >> kGranuleBits] = place_id(place);
  }
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
