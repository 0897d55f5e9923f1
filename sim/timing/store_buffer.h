// SPDX-License-Identifier: MIT
// Two queues of pending stores. StoreBuffer: four 64-bit entries before caches and AXI,
// merging stores to the same entry. TcmStoreQueue: before the ECC of the TCM, where a
// narrow store occupies its 32-bit bank for a read-modify-write and nothing merges.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace mcusim::timing {

class StoreBuffer {
 public:
  StoreBuffer(uint32_t entries, uint32_t entry_bytes) : capacity_(entries), bytes_(entry_bytes) {}

  // Cycles until there is room at `now` (0 when the store merges into a waiting entry).
  uint64_t wait(uint32_t address, uint64_t now);
  // Books the store that drains `drain_cycles` after those before it, or merges it.
  // `ready`: earliest cycle at which draining may start.
  void push(uint32_t address, uint64_t now, uint64_t ready, uint64_t drain_cycles);
  uint64_t drained() const { return pending_.empty() ? 0 : pending_.back().drained; }
  bool merges(uint32_t address, uint64_t now) const;
  template <typename Archive>
  void carry(Archive& archive) {
    archive.list(pending_, kMaxPending, [&](Entry& entry) {
      archive.value(entry.block);
      archive.value(entry.started);
      archive.value(entry.drained);
    });
  }
  // For steady(): equal but for times, and each time in a fixed order.
  bool same_but_times(const StoreBuffer& other) const {
    return std::equal(pending_.begin(), pending_.end(), other.pending_.begin(), other.pending_.end(),
                      [](const Entry& a, const Entry& b) { return a.block == b.block; });
  }
  template <typename Visit>
  void times(Visit visit) {
    for (Entry& entry : pending_) visit(entry.started), visit(entry.drained);
  }

 private:
  static constexpr size_t kMaxPending = 1 << 16;   // in a state from outside
  struct Entry {
    uint32_t block;
    uint64_t started, drained;
  };
  uint32_t capacity_, bytes_;
  std::deque<Entry> pending_;
};

class TcmStoreQueue {
 public:
  TcmStoreQueue(uint32_t entries, uint32_t narrow_cycles)
      : capacity_(entries), narrow_cycles_(narrow_cycles) {}

  // Cycles that a store to `bank` (address bit 2) at `now` waits for a place; books it.
  uint64_t push(uint32_t bank, uint64_t now, bool narrow);
  uint64_t drained() const;
  template <typename Archive>
  void carry(Archive& archive) {
    archive.value(bank_free_[0]);
    archive.value(bank_free_[1]);
    archive.list(done_, kMaxPending, [&](uint64_t& done) { archive.value(done); });
  }
  bool same_but_times(const TcmStoreQueue& other) const { return done_.size() == other.done_.size(); }
  template <typename Visit>
  void times(Visit visit) {
    for (uint64_t& free : bank_free_) visit(free);
    for (uint64_t& done : done_) visit(done);
  }

 private:
  static constexpr size_t kMaxPending = 1 << 16;   // in a state from outside
  uint32_t capacity_, narrow_cycles_;
  uint64_t bank_free_[2] = {0, 0};
  std::deque<uint64_t> done_;  // of waiting stores, ascending
};

}  // namespace mcusim::timing
