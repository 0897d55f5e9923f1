// SPDX-License-Identifier: MIT
// A few iterations of a loop, cycle by cycle, as the estimator timed them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/timing/estimator.h"

namespace mcusim {

// Instructions first .. last (addresses, inclusive); `last` branches back to `first`.
struct Loop {
  uint32_t first = 0, last = 0;
  uint64_t iterations = 0, cycles = 0;   // of the whole run
};

struct CauseStretch {
  Cause cause;
  uint32_t cycles;
};

struct TimelineRow {
  uint32_t iteration = 0;                // from 0
  uint32_t address = 0;
  std::string text;
  uint64_t issue_cycle = 0;              // from 0, the issue of the first row
  bool is_paired = false;                // issued in the cycle of the row above
  uint32_t result_cycles = 1;            // from issue until an ordinary ALU operand may use the result
  std::vector<CauseStretch> waits;       // before its issue
  std::vector<CauseStretch> holds;       // after it, before anything else may issue
};

// Listens to a run and keeps up to `iterations` iterations that follow each other without
// leaving the loop, from half of the loop's executions on; where a visit is long enough, its
// first iteration is passed over. `function_end`: first address behind the loop's function;
// calls out of the loop stay part of it.
class TimelineCapture : public TimedSink {
 public:
  TimelineCapture(const Loop& loop, uint32_t function_first, uint32_t function_end, uint32_t iterations);

  void timed(const TimedRun& run) override;
  void mark(const trace::Mark&, uint64_t) override {}
  void exception(const trace::Exception&, uint64_t, uint64_t) override { leave(); }
  void slept(uint64_t, uint64_t) override { leave(); }
  void window_start(const trace::WindowStart&) override { leave(); }

  bool is_complete() const { return complete_; }
  // What was kept: the wanted iterations, or as many as any visit had.
  std::vector<TimelineRow> rows() const;

 private:
  void instruction(const Instruction& instruction, TimelineRow row);
  void leave();

  const Loop loop_;
  const uint32_t function_first_, function_end_, wanted_;
  uint64_t heads_ = 0;                   // executions of the loop's first instruction
  bool inside_ = false, complete_ = false;
  uint32_t iteration_ = 0;
  std::vector<TimelineRow> open_, best_;
  uint32_t best_iterations_ = 0;
};

}  // namespace mcusim
