// SPDX-License-Identifier: MIT
// The estimator seam: Retired stream in, Timed stream out. Never sees the engine.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "memmap/board.h"
#include "sim/decode/instruction.h"
#include "traces/events.h"

namespace mcusim {

// The closed list of causes (law 1: every cycle has exactly one).
enum class Cause : uint8_t {
  issued, dependency, load_use, mac, divide, fp, structural, bank_conflict,
  tcm_subword_store, instruction_fetch, dmiss_flash, dmiss_axi_sram, dmiss_other,
  store_buffer, mispredict, unaligned, exception_entry, exception_exit, barrier,
  device, sleep,
  count_,
};
inline constexpr size_t kCauseCount = static_cast<size_t>(Cause::count_);
const char* cause_name(Cause cause);
using CauseCycles = std::array<uint64_t, kCauseCount>;

// Cycles of one instruction of one run.
struct InstructionCycles {
  uint16_t instruction;      // index in the block
  Cause cause;
  uint32_t cycles;
};

// One block run with its time. Sum over `parts` equals `cycles`; instructions
// without a part cost nothing of their own (they dual-issued).
struct TimedRun {
  const DecodedBlock* block = nullptr;
  const trace::BlockRun* run = nullptr;
  uint64_t start_cycle = 0;
  uint64_t cycles = 0;
  std::span<const InstructionCycles> parts;
  // Not 0: the first `schedule_parts` parts belong to a schedule that is the same in all
  // runs with this number, of which each retired its whole block. Numbers are never reused.
  uint64_t schedule = 0;
  size_t schedule_parts = 0;
  // Per retired instruction: issue cycle after start_cycle. What the memory system adds
  // comes on top: the parts behind the first `issue_parts` freeze the pipeline.
  std::span<const uint32_t> issue;
  size_t issue_parts = 0;
};

class TimedSink {
 public:
  virtual ~TimedSink() = default;
  virtual void timed(const TimedRun&) = 0;
  // These runs again, so many times, each time `period_cycles` later.
  virtual void repeated(std::span<const TimedRun> loop, uint64_t times, uint64_t period_cycles) {
    for (uint64_t i = 1; i <= times; ++i)
      for (TimedRun run : loop) {
        run.start_cycle += i * period_cycles;
        timed(run);
      }
  }
  virtual void mark(const trace::Mark&, uint64_t cycle) = 0;
  virtual void exception(const trace::Exception&, uint64_t start_cycle, uint64_t cycles) = 0;
  // The core slept (WFI, WFE).
  virtual void slept(uint64_t start_cycle, uint64_t cycles) = 0;
  // What came before was left out of the recording; time goes on at another cycle.
  virtual void window_start(const trace::WindowStart&) {}
};

// What passes a cache, as it happens; only accesses that can stall are looked at, so
// nobody pays for it but who asks.
enum class Miss : uint8_t {
  data_fill,         // a load or store that fetched its line
  instruction_fill,
  uncached,          // a load or store of memory that is not cached now, TCM apart
};
class MemoryObserver {
 public:
  virtual ~MemoryObserver() = default;
  virtual void missed(Miss miss, uint32_t address) = 0;
};

// The single way back from time to the guest (CYCCNT, SysTick).
class Clock {
 public:
  virtual ~Clock() = default;
  virtual uint64_t now() const = 0;  // cycles since reset, at the last finished run
  // Cycles from the last finished run until `instruction` of the open run issues.
  virtual uint64_t ahead(const DecodedBlock& block, std::span<const trace::Access> accesses,
                         uint32_t instruction) const = 0;
  // What one more round of the runs last given to repeat() is certain to cost, because
  // the round before left everything that time depends on as it was; 0: not certain.
  virtual uint64_t steady_cycles() const = 0;
};

class Estimator : public trace::RetiredSink, public Clock {
 public:
  virtual void attach(TimedSink* sink) = 0;
  virtual void observe(MemoryObserver* observer) = 0;   // what a run misses, before it is delivered
  virtual const CauseCycles& totals() const = 0;
  virtual std::string table_hash() const = 0;   // of the timing table, hex
  virtual uint32_t guess_count() const = 0;
  // The sum of totals() with every guessed cost at its low and at its high end; sizes
  // that are guessed (predictor, queues) do not enter.
  virtual std::pair<uint64_t, uint64_t> range() const = 0;
  // All that later cycles depend on but now(): trace::WindowStart::estimator, which
  // window_start() takes over. Throws Error there for bytes of another timing table or
  // damaged ones.
  virtual std::vector<uint8_t> state() const = 0;
};

}  // namespace mcusim
