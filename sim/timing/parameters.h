// SPDX-License-Identifier: MIT
// Bus, buffer and predictor parameters of a board, in core cycles at the clocks set.
// Guesses may be taken at their low or high end, so that their range reaches totals.
#pragma once

#include <cstdint>
#include <string>

#include "memmap/board.h"

namespace mcusim::timing {

enum class GuessEnd { value, low, high };

struct Parameters {
  // In AXI cycles.
  double flash_overhead = 0, flash_beats = 0, axi_first = 0, axi_beats = 0, axi_write = 0;
  double ahb_first = 0, ahb_beats = 0, ahb_write = 0, peripheral_read = 0, peripheral_write = 0;
  // In core cycles or counts.
  uint32_t ppb_read = 0, ppb_write = 0, linefill_buffers = 2, store_entries = 4, store_bytes = 8;
  uint32_t tcm_queue = 5, tcm_subword = 4, btac_entries = 64, return_stack = 4;
  uint32_t exception_entry = 12, exception_exit = 12;
  uint32_t redirect = 3;       // taken branch that only decode finds
  uint32_t guesses = 0;        // how many of these are guesses
};

// Cycles that guessed costs would take off or add at the ends of their ranges.
struct Spread {
  double below = 0, above = 0;
};

Parameters load_parameters(const Board& board, GuessEnd end);
std::string parameters_text(const Parameters& parameters);  // for the table hash

}  // namespace mcusim::timing
