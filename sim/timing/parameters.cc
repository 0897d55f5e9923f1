// SPDX-License-Identifier: MIT
// Reads the [timing] table of the board; every key must exist there (board.h).
#include "sim/timing/parameters.h"

#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::timing {

Parameters load_parameters(const Board& board, GuessEnd end) {
  Parameters out;
  const auto number = [&](const char* name) {
    const Guess& guess = board.timing_value(name);
    if (guess.is_guess) ++out.guesses;
    return end == GuessEnd::low ? guess.low : end == GuessEnd::high ? guess.high : guess.value;
  };
  const auto whole = [&](const char* name) {
    return static_cast<uint32_t>(std::lround(number(name)));
  };
  out.flash_overhead = number("flash_fill_overhead_axi_cycles");
  out.flash_beats = number("flash_line_beats_axi_cycles");
  out.axi_first = number("axi_sram_first_word_axi_cycles");
  out.axi_beats = number("axi_sram_line_beats_axi_cycles");
  out.axi_write = number("axi_sram_write_axi_cycles");
  out.ahb_first = number("ahb_sram_first_word_axi_cycles");
  out.ahb_beats = number("ahb_sram_line_beats_axi_cycles");
  out.ahb_write = number("ahb_sram_write_axi_cycles");
  out.peripheral_read = number("peripheral_read_axi_cycles");
  out.peripheral_write = number("peripheral_write_axi_cycles");
  out.ppb_read = whole("ppb_read_core_cycles");
  out.ppb_write = whole("ppb_write_core_cycles");
  out.linefill_buffers = whole("linefill_buffers");
  out.store_entries = whole("store_buffer_entries");
  out.store_bytes = whole("store_buffer_entry_bytes");
  out.tcm_queue = whole("tcm_store_queue_entries");
  out.tcm_subword = whole("tcm_subword_store_core_cycles");
  // More predictor capacity means fewer cycles: the ends swap.
  const GuessEnd kept = end;
  end = kept == GuessEnd::low ? GuessEnd::high : kept == GuessEnd::high ? GuessEnd::low : kept;
  out.btac_entries = whole("btac_entries");
  out.return_stack = whole("return_stack_entries");
  end = kept;
  out.exception_entry = whole("exception_entry_core_cycles");
  out.exception_exit = whole("exception_exit_core_cycles");
  // guess: fetch restarts three stages behind when only decode finds a taken branch (1 to 5).
  out.redirect = end == GuessEnd::low ? 1 : end == GuessEnd::high ? 5 : 3;
  out.guesses += 3;  // the redirect, and two of predictor.h
  if (out.linefill_buffers == 0 || out.store_entries == 0 || out.store_bytes == 0 ||
      out.btac_entries == 0)
    throw Error("board {}: timing: a buffer count is 0", board.name);
  return out;
}

std::string parameters_text(const Parameters& p) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n",
                     p.flash_overhead, p.flash_beats, p.axi_first, p.axi_beats, p.axi_write,
                     p.ahb_first, p.ahb_beats, p.ahb_write, p.peripheral_read, p.peripheral_write,
                     p.ppb_read, p.ppb_write, p.linefill_buffers, p.store_entries, p.store_bytes,
                     p.tcm_queue, p.tcm_subword, p.btac_entries, p.return_stack, p.exception_entry,
                     p.exception_exit, p.redirect);
}

}  // namespace mcusim::timing
