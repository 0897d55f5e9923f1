// SPDX-License-Identifier: MIT
// Memoised schedules: (instructions, entry state, way of entry, variation) to schedule.
// States are interned, so that a hit compares a few words; the latest hits come first.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "sim/timing/parameters.h"
#include "sim/timing/pipeline.h"

namespace mcusim::timing {

struct MemoEntry {
  uint32_t state = 0, next_state = 0;
  Entry entry = Entry::sequential;
  Variation variation;
  bool late_flags = false;  // of the next state
  uint64_t number = 0;      // see TimedRun::schedule
  uint64_t uses = 0;        // folded into totals when they are asked for
  Schedule schedule;
};

// Up to 64 consecutive instructions of a block, scheduled as one.
struct Segment {
  uint16_t first = 0, last = 0;
  std::vector<MemoEntry*> entries;
};

class Memo {
 public:
  Memo();
  uint32_t state_id(const PipeState& state);
  const PipeState& state(uint32_t id) const { return states_[id]; }

  MemoEntry* find(Segment& segment, uint32_t state, Entry entry, const Variation& variation) {
    auto& entries = segment.entries;
    for (size_t i = 0; i < entries.size(); ++i) {
      MemoEntry* candidate = entries[i];
      if (candidate->state == state && candidate->entry == entry &&
          candidate->variation == variation) {
        if (i > 0) std::swap(entries[i], entries[i - 1]);
        return candidate;
      }
    }
    return nullptr;
  }
  MemoEntry* add(Segment& segment, uint32_t state, Entry entry, const Variation& variation,
                 Schedule schedule);
  // Cycles by cause of all uses so far.
  void add_totals(CauseCycles& totals) const;
  void add_spread(Spread& spread) const;
  bool full() const { return entries_.size() >= kMaxEntries || states_.size() >= kMaxEntries; }
  // A segment with this many variants is evaluated afresh instead.
  static bool crowded(const Segment& segment) { return segment.entries.size() >= kMaxVariants; }

 private:
  static constexpr size_t kMaxEntries = 200'000, kMaxVariants = 256;
  struct Hash {
    size_t operator()(const PipeState& state) const;
  };
  std::deque<MemoEntry> entries_;
  std::deque<PipeState> states_;
  std::unordered_map<PipeState, uint32_t, Hash> ids_;
};

}  // namespace mcusim::timing
