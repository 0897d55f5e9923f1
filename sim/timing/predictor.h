// SPDX-License-Identifier: MIT
// Branch prediction: a target cache that fetch consults, two-bit directions, a return
// stack. Sizes are guesses of the board file; the organisation (direct mapped, two-bit
// counters without history) is a guess too: no readable source describes the M7's.
#pragma once

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

 private:
  struct Slot {
    uint32_t branch = ~0u;
    uint32_t target = 0;
    uint8_t counter = 1;  // 0..3, taken from 2
  };
  Slot& slot(uint32_t address) { return slots_[(address >> 1) & mask_]; }

  std::vector<Slot> slots_;
  uint32_t mask_;
  std::vector<uint32_t> returns_;  // ring
  uint32_t top_ = 0;
};

}  // namespace mcusim::timing
