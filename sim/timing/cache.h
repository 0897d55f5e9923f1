// SPDX-License-Identifier: MIT
// Tags of one cache: set-associative, pseudo-random replacement from a fixed seed, so
// that runs repeat. A hit changes nothing, which keeps hits off the slow path.
#pragma once

#include <cstdint>
#include <vector>

#include "memmap/board.h"

namespace mcusim::timing {

class Cache {
 public:
  explicit Cache(const CacheGeometry& geometry);

  bool enabled = false;
  uint32_t line_bytes() const { return line_bytes_; }
  uint32_t line_of(uint32_t address) const { return address & ~(line_bytes_ - 1); }
  bool holds(uint32_t address) const { return find(address) != nullptr; }
  bool holds_dirty(uint32_t address) const {
    const uint32_t* tag = find(address);
    return tag && (*tag & kDirty);
  }
  // Marks the line dirty; false when it is not there.
  bool dirty(uint32_t address) {
    uint32_t* tag = const_cast<uint32_t*>(find(address));
    if (tag) *tag |= kDirty;
    return tag != nullptr;
  }
  // Takes a line in; true when that pushes a dirty line out.
  bool allocate(uint32_t address);
  void invalidate_all();
  bool invalidate(uint32_t address);   // the line; true when it was dirty
  bool clean(uint32_t address);        // the line; true when it was dirty
  // The line address in a set and way, for maintenance by set/way; ~0u when empty.
  uint32_t line_at(uint32_t set, uint32_t way) const;
  uint32_t sets() const { return sets_; }
  uint32_t ways() const { return ways_; }
  uint64_t generation() const { return generation_; }  // changes whenever a line goes
  template <typename Archive>
  void carry(Archive& archive) {
    archive.flag(enabled);
    archive.fixed(tags_);
    archive.value(random_);
  }
  bool operator==(const Cache& other) const {
    return enabled == other.enabled && tags_ == other.tags_ && random_ == other.random_ &&
           generation_ == other.generation_;
  }

 private:
  static constexpr uint32_t kValid = 1, kDirty = 2;
  const uint32_t* find(uint32_t address) const {
    const uint32_t line = line_of(address) | kValid;
    const uint32_t index = address >> line_shift_ & (sets_ - 1);
    const uint32_t* set = &tags_[index * ways_];
    uint8_t& found = found_[index];
    if ((set[found] & ~kDirty) == line) return &set[found];
    for (uint32_t way = 0; way < ways_; ++way)
      if ((set[way] & ~kDirty) == line) {
        found = static_cast<uint8_t>(way);
        return &set[way];
      }
    return nullptr;
  }

  uint32_t line_bytes_, line_shift_, sets_, ways_;
  std::vector<uint32_t> tags_;
  mutable std::vector<uint8_t> found_;   // by set: the way to look in first, only for speed
  uint32_t random_ = 0x2545F491;
  uint64_t generation_ = 1;
};

}  // namespace mcusim::timing
