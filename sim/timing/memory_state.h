// SPDX-License-Identifier: MIT
// The memory system's part of carried state (state.h): address map as the guest left
// it, caches, fills and stores under way, buses and clocks.
#pragma once

#include <algorithm>
#include <cmath>

#include "sim/timing/memory_system.h"
#include "sim/timing/state.h"

namespace mcusim::timing {

// The map as runs of equal granules: a few dozen, where granules are 2^18.
template <typename Archive>
void MemorySystem::carry_map(Archive& archive) {
  archive.list(places_, kMaxPlaces, [&](Place& place) {
    auto kind = static_cast<uint8_t>(place.kind), cache = static_cast<uint8_t>(place.cache);
    archive.below(kind, static_cast<uint64_t>(RegionKind::system) + 1, "kind of memory");
    archive.below(cache, static_cast<uint64_t>(CachePolicy::write_back) + 1, "cache policy");
    archive.flag(place.tcm);
    place.kind = static_cast<RegionKind>(kind);
    place.cache = static_cast<CachePolicy>(cache);
  });
  if constexpr (Archive::kLoads)
    if (places_.size() <= *std::max_element(board_map_->begin(), board_map_->end()))
      archive.refuse("fewer kinds of memory than the board has");
  Map map = *shared_map_;
  for (size_t granule = 0; granule < map.size();) {
    uint8_t place = map[granule];
    auto end = static_cast<uint32_t>(
        std::find_if(map.begin() + static_cast<ptrdiff_t>(granule), map.end(),
                     [&](uint8_t other) { return other != place; }) - map.begin());
    archive.below(place, places_.size(), "place");
    archive.below(end, map.size() + 1, "end of a stretch of memory");
    if constexpr (Archive::kLoads) {
      if (end <= granule) archive.refuse("a stretch of memory ends before it begins");
      std::fill(map.begin() + static_cast<ptrdiff_t>(granule), map.begin() + end, place);
    }
    granule = end;
  }
  for (auto& [base, attributes] : regions_) {
    archive.value(base);
    archive.value(attributes);
  }
  if constexpr (Archive::kLoads) {
    shared_map_ = std::make_shared<const Map>(std::move(map));
    map_ = shared_map_->data();
  }
}

template <typename Archive>
void MemorySystem::carry(Archive& archive) {
  carry_map(archive);
  code_.carry(archive);
  data_.carry(archive);
  archive.fixed(fills_);
  stores_.carry(archive);
  tcm_stores_.carry(archive);
  archive.value(bus_free_);
  archive.value(busy_until_);
  archive.value(core_hz_);
  archive.value(axi_hz_);
  archive.below(wait_states_, 256, "flash wait states");
  if constexpr (Archive::kLoads) {
    for (const double hz : {core_hz_, axi_hz_})
      if (!(hz >= 1 && hz <= 1e11)) archive.refuse("a clock that is none");
    axi_ratio_ = std::max(1.0, core_hz_ / axi_hz_);
    cacheable_.fill(false);
    write_back_.fill(false);
    for (size_t id = 0; id < places_.size(); ++id) note_cacheability(static_cast<uint8_t>(id));
    // Blocks that were resident in an earlier state are not known to be in this one.
    ++instruction_generation_;
  }
}

}  // namespace mcusim::timing
