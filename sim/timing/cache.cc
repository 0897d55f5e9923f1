// SPDX-License-Identifier: MIT
// See cache.h. Replacement: an empty way first, else xorshift32.
#include "sim/timing/cache.h"

#include <algorithm>
#include <bit>

#include "memmap/base/error.h"

namespace mcusim::timing {

Cache::Cache(const CacheGeometry& geometry)
    : line_bytes_(geometry.line_bytes ? geometry.line_bytes : 32),
      line_shift_(static_cast<uint32_t>(std::countr_zero(line_bytes_))),
      sets_(geometry.size_bytes ? geometry.sets() : 1), ways_(geometry.ways ? geometry.ways : 1) {
  if (!std::has_single_bit(line_bytes_) || !std::has_single_bit(sets_) || line_bytes_ < 8 ||
      ways_ > 256)
    throw Error("cache: {} sets of {}-byte lines", sets_, line_bytes_);
  tags_.assign(size_t{sets_} * ways_, 0);
  found_.assign(sets_, 0);
}

bool Cache::allocate(uint32_t address) {
  if (holds(address)) return false;
  uint32_t* set = &tags_[(address / line_bytes_ & (sets_ - 1)) * ways_];
  uint32_t* victim = std::find(set, set + ways_, 0u);
  if (victim == set + ways_) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    victim = set + random_ % ways_;
    ++generation_;
  }
  const bool was_dirty = *victim & kDirty;
  *victim = line_of(address) | kValid;
  return was_dirty;
}

void Cache::invalidate_all() {
  std::fill(tags_.begin(), tags_.end(), 0);
  ++generation_;
}

bool Cache::invalidate(uint32_t address) {
  uint32_t* tag = const_cast<uint32_t*>(find(address));
  if (!tag) return false;
  const bool was_dirty = *tag & kDirty;
  *tag = 0;
  ++generation_;
  return was_dirty;
}

bool Cache::clean(uint32_t address) {
  uint32_t* tag = const_cast<uint32_t*>(find(address));
  if (!tag) return false;
  const bool was_dirty = *tag & kDirty;
  *tag &= ~kDirty;
  return was_dirty;
}

uint32_t Cache::line_at(uint32_t set, uint32_t way) const {
  if (set >= sets_ || way >= ways_) return ~0u;
  const uint32_t tag = tags_[size_t{set} * ways_ + way];
  return tag & kValid ? tag & ~(kValid | kDirty) : ~0u;
}

}  // namespace mcusim::timing
