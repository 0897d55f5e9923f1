// SPDX-License-Identifier: MIT
// Two rounds of a loop that may be only waiting: what they ran, read and wrote.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/machine/block_plan.h"
#include "sim/machine/memory.h"
#include "traces/events.h"

namespace mcusim {

struct LoopWatch {
  enum class Phase : uint8_t { idle, first, second };
  static constexpr int kRegisters = 16;     // R0 to R14, xPSR
  static constexpr size_t kMostSteps = 64;
  struct Step {
    const BlockPlan* plan;
    std::vector<trace::Access> accesses;
    uint64_t skipped;
  };

  void start(uint32_t address, uint64_t blocks, uint64_t exceptions_now);
  // One more block of the round; false when the loop does more than wait.
  bool step(const BlockPlan& plan, std::span<const trace::Access> accesses, uint64_t skipped_mask,
            const Memory& memory);
  void begin_second(const Memory& memory);
  bool round_is_whole() const { return position == steps.size(); }
  bool memory_changed(const Memory& memory) const;   // of what a round writes, since begin_second()
  std::vector<trace::BlockRun> runs() const;         // of one round; they point into `steps`
  void give_up();                                    // looks again later, ever later
  void finish(uint64_t blocks_each);                 // looks again soon

  Phase phase = Phase::idle;
  uint32_t head = 0;                        // where a round begins
  uint32_t registers[kRegisters] = {};      // there
  uint64_t seen = 0, exceptions = 0;        // blocks and exceptions of the machine
  uint64_t skipped = 0, began = 0;          // the machine's, where the second round begins
  std::vector<Step> steps;
  size_t position = 0;                      // in `steps`, in the second round
  std::vector<std::pair<uint32_t, uint8_t>> written;   // addresses and their bytes
  uint64_t pause = 1024, next_pause = 1024; // blocks until the next look
};

}  // namespace mcusim
