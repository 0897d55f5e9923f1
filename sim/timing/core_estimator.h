// SPDX-License-Identifier: MIT
// The estimator: pipeline schedules per block, memoised, plus what the memory system
// and the branch predictor add. Make one with make_estimator().
//
// Invariant: memoised = plain = any other cutting of the stream into blocks, cycle for
// cycle and cause for cause (law 3), because every step depends only on carried state.
#pragma once

#include <memory>

#include "memmap/board.h"
#include "sim/timing/estimator.h"
#include "sim/timing/parameters.h"

namespace mcusim {

struct EstimatorOptions {
  bool memoise = true;
  timing::GuessEnd guesses = timing::GuessEnd::value;  // low and high give the range of totals
};

std::unique_ptr<Estimator> make_estimator(const Board& board, const EstimatorOptions& options = {});

}  // namespace mcusim
