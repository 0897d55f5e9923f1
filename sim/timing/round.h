// SPDX-License-Identifier: MIT
// What one round of a waiting loop did to the books, so that further rounds can be entered
// without playing them (Estimator::repeat).
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/timing/estimator.h"
#include "sim/timing/memo.h"

namespace mcusim::timing {

struct Round {
  std::vector<MemoEntry*> used;                       // schedules, once per use
  std::vector<TimedRun> runs;                         // their spans point into what follows
  std::deque<std::vector<InstructionCycles>> parts;
  std::deque<std::vector<uint32_t>> issues;

  void add(const TimedRun& run) {
    runs.push_back(run);
    runs.back().parts = parts.emplace_back(run.parts.begin(), run.parts.end());
    runs.back().issue = issues.emplace_back(run.issue.begin(), run.issue.end());
  }
};

}  // namespace mcusim::timing
