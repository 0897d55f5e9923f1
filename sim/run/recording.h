// SPDX-License-Identifier: MIT
// What a trace file says besides its events: enough to time the stream again and to
// name what it shows, without the program or the board that made it at hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/loader/program.h"
#include "sim/report/report.h"

namespace mcusim {

struct Recording {
  std::string board;                  // name of the board file
  report::Run facts;                  // layers and names without figures, as known before the run
  std::vector<Symbol> functions;      // ascending by address
  std::string window;                 // which part of the run, for people; empty: all of it
};

struct RecordingEnd {
  uint64_t instructions = 0, cycles = 0;
  std::string timing_table;
  bool time_observed = false;         // the guest read a clock: other timing may change its path
  // Of the whole run, where only stretches of it are recorded; `left_out` did not fit.
  uint64_t run_instructions = 0, run_cycles = 0, stretches = 0, left_out = 0;
};

std::string to_json(const Recording& recording);
std::string to_json(const RecordingEnd& end);
// Throw Error naming `name` for anything else.
Recording recording_from_json(const std::string& text, const std::string& name);
RecordingEnd recording_end_from_json(const std::string& text, const std::string& name);

}  // namespace mcusim
