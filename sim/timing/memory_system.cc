// SPDX-License-Identifier: MIT
// Data side and clocks of the memory system. A load miss freezes the pipeline until its
// word arrives; the rest of the line streams in behind (critical word first). Stores
// wait only for a place in their buffer.
#include "sim/timing/memory_system.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::timing {

Cause miss_cause(RegionKind kind) {
  switch (kind) {
    case RegionKind::flash: return Cause::dmiss_flash;
    case RegionKind::axi_sram: return Cause::dmiss_axi_sram;
    case RegionKind::peripheral: case RegionKind::system: return Cause::device;
    default: return Cause::dmiss_other;
  }
}

MemorySystem::MemorySystem(const Board& board, const Parameters& parameters)
    : parameters_(parameters), low_(load_parameters(board, GuessEnd::low)),
      high_(load_parameters(board, GuessEnd::high)),
      shared_map_(std::make_shared<const Map>(size_t{1} << (32 - kGranuleBits), 0)),
      map_(shared_map_->data()), code_(board.icache), data_(board.dcache), fills_(parameters.linefill_buffers),
      stores_(parameters.store_entries, parameters.store_bytes),
      tcm_stores_(parameters.tcm_queue, parameters.tcm_subword) {
  places_.push_back({});                                           // unmapped: as a peripheral
  places_.push_back({RegionKind::dtcm, CachePolicy::none, true});  // kTcmPlace, both TCMs
  for (const Region& region : board.regions) {
    const bool tcm = region.kind == RegionKind::itcm || region.kind == RegionKind::dtcm;
    map_region(region.base, region.size_bytes,
               tcm ? places_[kTcmPlace] : Place{region.kind, region.cache, false});
  }
  board_map_ = shared_map_;
  // After reset the core runs from the last preset of the board: internal oscillator.
  if (board.clocks.empty()) throw Error("board {}: no clock", board.name);
  const ClockPreset& reset = board.clocks.back();
  core_hz_ = static_cast<double>(reset.core_hz);
  axi_hz_ = static_cast<double>(reset.axi_hz);
  axi_ratio_ = core_hz_ / axi_hz_;
  wait_states_ = reset.flash_wait_states;
}

bool MemorySystem::same_but_times(const MemorySystem& other) const {
  const auto same_fill = [](const Fill& a, const Fill& b) {
    return a.line == b.line && a.critical == b.critical;
  };
  return shared_map_ == other.shared_map_ && code_ == other.code_ && data_ == other.data_ &&
         std::equal(fills_.begin(), fills_.end(), other.fills_.begin(), other.fills_.end(), same_fill) &&
         stores_.same_but_times(other.stores_) && tcm_stores_.same_but_times(other.tcm_stores_) &&
         instruction_generation_ == other.instruction_generation_ && core_hz_ == other.core_hz_ &&
         axi_hz_ == other.axi_hz_ && wait_states_ == other.wait_states_;
}

uint8_t MemorySystem::place_id(const Place& place) {
  const auto known = std::find(places_.begin(), places_.end(), place);
  if (known != places_.end()) return static_cast<uint8_t>(known - places_.begin());
  if (places_.size() >= kMaxPlaces) throw Error("timing: more than {} kinds of memory", kMaxPlaces);
  places_.push_back(place);
  const auto id = static_cast<uint8_t>(places_.size() - 1);
  note_cacheability(id);
  return id;
}

void MemorySystem::note_cacheability(uint8_t id) {
  cacheable_[id] = places_[id].cache != CachePolicy::none;
  write_back_[id] = places_[id].cache == CachePolicy::write_back;
}

void MemorySystem::map_region(uint32_t base, uint64_t bytes, const Place& place) {
  const uint8_t id = place_id(place);
  const uint64_t first = base >> kGranuleBits, last = (uint64_t{base} + bytes - 1) >> kGranuleBits;
  Map map = *shared_map_;
  for (uint64_t granule = first; granule <= last && granule < map.size(); ++granule)
    map[granule] = id;
  shared_map_ = std::make_shared<const Map>(std::move(map));
  map_ = shared_map_->data();
}

uint64_t MemorySystem::core(double axi_cycles) const {
  return static_cast<uint64_t>(std::ceil(axi_cycles * axi_ratio_ - 1e-9));
}

void MemorySystem::spread_first_word(const Place& place) {
  const auto used = static_cast<double>(first_word(place));
  spread_.below += used - static_cast<double>(first_word(low_, place));
  spread_.above += static_cast<double>(first_word(high_, place)) - used;
}

uint64_t MemorySystem::first_word(const Parameters& parameters, const Place& place) const {
  switch (place.kind) {
    case RegionKind::flash: return core(parameters.flash_overhead + 1 + wait_states_);
    case RegionKind::axi_sram: return core(parameters.axi_first);
    case RegionKind::peripheral: return core(parameters.peripheral_read);
    case RegionKind::system: return parameters.ppb_read;
    default: return core(parameters.ahb_first);
  }
}

uint64_t MemorySystem::beat(const Place& place) const {
  const double beats = place.kind == RegionKind::flash      ? parameters_.flash_beats
                       : place.kind == RegionKind::axi_sram ? parameters_.axi_beats
                                                            : parameters_.ahb_beats;
  return core(beats * 8 / code_.line_bytes());  // 64-bit beats
}

uint64_t MemorySystem::write_cycles(const Place& place) const {
  switch (place.kind) {
    case RegionKind::axi_sram: case RegionKind::flash: return core(parameters_.axi_write);
    case RegionKind::peripheral: return core(parameters_.peripheral_write);
    case RegionKind::system: return parameters_.ppb_write;
    default: return core(parameters_.ahb_write);
  }
}

const MemorySystem::Fill& MemorySystem::start_fill(uint32_t address, const Place& place,
                                                   uint64_t now) {
  Fill& fill = *std::min_element(fills_.begin(), fills_.end(),
                                 [](const Fill& a, const Fill& b) { return a.done < b.done; });
  missed(Miss::data_fill, address);
  const uint64_t start = std::max({now, fill.done, bus_free_});
  fill.line = data_.line_of(address);
  fill.critical = address & ~7u;
  fill.first = start + first_word(place);
  fill.done = fill.first + (data_.line_bytes() / 8 - 1) * beat(place);
  bus_free_ = fill.done;
  // A dirty victim leaves behind the fill, beat by beat.
  if (data_.allocate(address)) bus_free_ += data_.line_bytes() / 8 * write_cycles(place);
  busy_until_ = std::max(busy_until_, bus_free_);
  return fill;
}

uint64_t MemorySystem::arrival(const Fill& fill, uint32_t address, const Place& place) const {
  const uint32_t beats = data_.line_bytes() / 8;
  const uint32_t order = ((address >> 3) - (fill.critical >> 3)) & (beats - 1);
  return fill.first + order * beat(place);
}

Stall MemorySystem::access(const trace::Access& access, uint64_t now) {
  const Place& place = place_of(access.address);
  return access.is_write ? store(access, place, now) : load(access, place, now);
}

Stall MemorySystem::load(const trace::Access& access, const Place& place, uint64_t now) {
  if (place.tcm) return {};
  if (!data_.enabled || place.cache == CachePolicy::none) {
    missed(Miss::uncached, access.address);
    // Device and uncached reads go behind the pending stores (T: drained before Device reads).
    uint64_t start = now;
    if (place.kind == RegionKind::peripheral) start = std::max(start, stores_.drained());
    if (place.kind != RegionKind::system) start = std::max(start, bus_free_);
    spread_first_word(place);
    const uint64_t done = start + first_word(place);
    if (place.kind != RegionKind::system) {
      bus_free_ = done;
      busy_until_ = std::max(busy_until_, done);
    }
    return {static_cast<uint32_t>(done - now), miss_cause(place.kind)};
  }
  const uint32_t line = data_.line_of(access.address);
  for (const Fill& fill : fills_)
    if (fill.line == line && fill.done > now && data_.holds(access.address)) {
      const uint64_t there = arrival(fill, access.address, place);
      return {static_cast<uint32_t>(there > now ? there - now : 0), miss_cause(place.kind)};
    }
  if (data_.holds(access.address)) return {};
  spread_first_word(place);
  const Fill& fill = start_fill(access.address, place, now);
  return {static_cast<uint32_t>(fill.first - now), miss_cause(place.kind)};
}

Stall MemorySystem::store(const trace::Access& access, const Place& place, uint64_t now) {
  // (A double word on 4 bytes is aligned.)
  const bool unaligned = (access.address & (access.bytes - 1u) & 3u) != 0;
  if (place.tcm) {
    const bool narrow = access.bytes < 4 || unaligned;
    if (!narrow && tcm_stores_.drained() <= now) return {};
    const uint64_t waited = tcm_stores_.push(access.address >> 2 & 1, now, narrow);
    busy_until_ = std::max(busy_until_, tcm_stores_.drained());
    return {static_cast<uint32_t>(waited),
            unaligned && access.bytes > 1 ? Cause::unaligned : Cause::tcm_subword_store};
  }
  if (!data_.enabled || place.cache == CachePolicy::none) missed(Miss::uncached, access.address);
  if (place.kind == RegionKind::system) return {parameters_.ppb_write - 1, Cause::device};
  const bool line_taken =
      data_.enabled && place.cache == CachePolicy::write_back && data_.holds(access.address);
  if (line_taken && stores_.drained() <= now) {  // passes straight through into its line
    data_.dirty(access.address);
    return {};
  }
  const uint64_t waited = stores_.wait(access.address, now);
  const uint64_t at = now + waited;
  if (!stores_.merges(access.address, at)) {
    const bool cached = data_.enabled && place.cache != CachePolicy::none;
    const bool to_line = cached && place.cache == CachePolicy::write_back;
    uint64_t ready = at, drain = unaligned ? parameters_.tcm_subword : 1;
    if (to_line && !data_.dirty(access.address)) {
      // Write-allocate: the entry leaves once its line has a linefill buffer.
      const uint64_t free =
          std::min_element(fills_.begin(), fills_.end(), [](const Fill& a, const Fill& b) {
            return a.done < b.done;
          })->done;
      ready = std::max({at, free, bus_free_});
      start_fill(access.address, place, at);
      data_.dirty(access.address);
    } else if (!to_line) {
      ready = std::max(at, bus_free_);
      drain = write_cycles(place);
      bus_free_ = std::max({at, bus_free_, stores_.drained()}) + drain;
    }
    stores_.push(access.address, at, ready, drain);
    busy_until_ = std::max({busy_until_, stores_.drained(), bus_free_});
  }
  return {static_cast<uint32_t>(waited), Cause::store_buffer};
}

Stall MemorySystem::barrier(uint64_t now) const {
  const uint64_t until = std::max(stores_.drained(), tcm_stores_.drained());
  return {static_cast<uint32_t>(until > now ? until - now : 0), Cause::barrier};
}

}  // namespace mcusim::timing
