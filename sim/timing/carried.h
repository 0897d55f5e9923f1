// SPDX-License-Identifier: MIT
// What time depends on from one run to the next, and the steps outside the pipeline
// schedule: how a block was entered, what varied in its accesses, what they cost.
// Copyable, so that an open run can be tried on a copy.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/timing/memo.h"
#include "sim/timing/memory_system.h"
#include "sim/timing/predictor.h"

namespace mcusim::timing {

inline constexpr size_t kSegment = 64;
enum Trait : uint8_t { kBesideLoad = 1, kStoreMultiple = 2, kBarrier = 4, kWords = 8 };

// A block with its operations and what its runs need to know in advance.
struct Block {
  const DecodedBlock* decoded = nullptr;
  Ops ops;
  std::vector<uint8_t> traits;
  std::vector<Segment> segments;
  uint64_t resident = 0;        // instruction generation at which all lines were there
  bool has_barrier = false, free_fetch = false, has_stores = false;
};

// All of a block that its instructions tell; free_fetch is the memory system's to say.
std::unique_ptr<Block> make_block(const DecodedBlock& decoded);

// Stores of the last cycles: a load of the same eight bytes waits for them (LM, S).
struct RecentStores {
  static constexpr int kCount = 4;
  uint32_t word[kCount] = {~0u, ~0u, ~0u, ~0u};
  uint64_t at[kCount] = {0, 0, 0, 0};
  uint32_t next = 0;
  uint64_t latest = 0;

  void push(uint32_t address, uint64_t now) {
    word[next] = address >> kStoreToLoadShift;
    at[next] = latest = now;
    next = (next + 1) % kCount;
  }
  bool meets(uint32_t address) const {
    const uint32_t w = address >> kStoreToLoadShift;
    return w == word[0] || w == word[1] || w == word[2] || w == word[3];
  }
  uint32_t wait(uint32_t address, uint64_t now) const {
    uint64_t until = now;
    for (int i = 0; i < kCount; ++i)
      if (word[i] == address >> kStoreToLoadShift)
        until = std::max(until, at[i] + kStoreToLoadCycles);
    return static_cast<uint32_t>(until - now);
  }
  void forget() { std::fill(std::begin(word), std::end(word), ~0u); }
  template <typename Archive>
  void carry(Archive& archive) {
    archive.fixed(word);
    archive.fixed(at);
    archive.below(next, kCount, "place in the recent stores");
    archive.value(latest);
  }
};

// All that time depends on; copyable, so that ahead() can try an open run.
struct Carried {
  MemorySystem memory;
  Predictor predictor;
  RecentStores stores;
  uint64_t cycle = 0;
  uint32_t state = 0;
  const Instruction* last = nullptr;   // executed before, nullptr after a flush
  bool late_flags = false;

  // Whether `before`, one round of a loop ago, differs from this by nothing but times that
  // moved on with the clock or lie before it: then the next round will cost the same.
  bool steady_since(const Carried& before) const;
  // Moves on by `cycles`, as if so many more rounds since `before` had run.
  void move_on(const Carried& before, uint64_t cycles);

  // How control comes to `block` from the instruction before; teaches the predictor.
  Entry enter(const Block& block);
  // What varies in the accesses of a run of `count` instructions; true when all of them
  // are free of memory effects.
  bool survey(const Block& block, size_t count, std::span<const trace::Access> accesses,
              Variation* variations);
  // Plays fetches (unless `fetched`: all code is there) and accesses at the cycles of the
  // schedule; each stall is appended.
  void play(const Block& block, std::span<const trace::Access> accesses, Entry entry, size_t count,
            bool fetched, const uint32_t* issue, std::vector<InstructionCycles>& out);
  // After a quick run only its last stores can still matter.
  void settle(const Block& block, std::span<const trace::Access> accesses, uint64_t start,
              const uint32_t* issue);
  // All but `state` and `last`, which belong to the estimator.
  template <typename Archive>
  void carry(Archive& archive) {
    memory.carry(archive);
    predictor.carry(archive);
    stores.carry(archive);
    archive.flag(late_flags);
  }

 private:
  // All times, the recent stores in the order of their age.
  template <typename Visit>
  void times(Visit visit) {
    memory.times(visit);
    for (int i = 0; i < RecentStores::kCount; ++i)
      visit(stores.at[(stores.next + static_cast<uint32_t>(i)) % RecentStores::kCount]);
    visit(stores.latest);
  }
  uint64_t play_one(const Block& block, size_t index, std::span<const trace::Access> accesses,
                    uint64_t now, std::vector<InstructionCycles>& out);
  void fetch(const Block& block, size_t index, bool sequential, uint64_t& now,
             std::vector<InstructionCycles>& out);
};

}  // namespace mcusim::timing
