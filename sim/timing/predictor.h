// SPDX-License-Identifier: MIT
// Branch prediction: a target cache that fetch consults, directions from two levels
// (each branch's own last outcomes select a two-bit counter), a return stack.
//
// guess: no readable source describes the M7's predictor. Target cache and return
// stack sizes come from the board file. The two-level form is chosen because the
// calibration rows leave no room for a mispredicted exit of a ten-round loop
// (docs/accuracy.md); its history length and table size are guesses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/decode/instruction.h"

namespace mcusim::timing {

enum class Prediction : uint8_t { right, wrong, late };  // late: only decode finds the target

class Predictor {
 public:
  Predictor(uint32_t btac_entries, uint32_t return_entries);

  // Judges and learns one executed branch.
  Prediction resolve(const Instruction& branch, bool taken, uint32_t target);
  void invalidate();
  template <typename Archive>
  void carry(Archive& archive) {
    archive.fixed(slots_);
    archive.fixed(histories_);
    archive.fixed(counters_);
    archive.fixed(returns_);
    archive.below(top_, std::max<size_t>(1, returns_.size()), "place in the return stack");
  }
  bool operator==(const Predictor&) const = default;

  static constexpr uint32_t kHistoryBits = 10;   // guess
  static constexpr uint32_t kCounters = 1024;    // guess

 private:
  static constexpr uint8_t kUnseen = 4;
  struct Slot {
    uint32_t branch = ~0u;
    uint32_t target = 0;
    bool operator==(const Slot&) const = default;
  };

  std::vector<Slot> slots_;          // direct mapped
  std::vector<uint16_t> histories_;  // as many as slots, indexed alike
  std::vector<uint8_t> counters_;    // 0..3, taken from 2; or unseen
  std::vector<uint32_t> returns_;    // ring
  uint32_t top_ = 0;
};

}  // namespace mcusim::timing
