// SPDX-License-Identifier: MIT
// What each instruction of a function cost in a recorded run, where its loops are, and
// the hottest one cycle by cycle.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/run/profile.h"
#include "sim/run/timeline.h"
#include "traces/trace_file.h"

namespace mcusim {

struct AnnotatedLine {
  std::string text;
  uint8_t bytes = 2;
  Profile::Share share;
};
using AnnotatedLines = std::map<uint32_t, AnnotatedLine>;   // by address

struct Annotation {
  report::Run report;
  report::Function function;
  AnnotatedLines lines;                // instructions of the function that ran
  std::optional<Loop> loop;            // the costliest innermost loop
  std::vector<TimelineRow> timeline;   // of that loop
};

// Annotates the costliest function whose name contains `function`; throws Error naming
// the trace when none ran. `iterations`: of the timeline; 0: none.
Annotation annotate(const trace::TraceReader& reader, const std::string& trace_name, const std::string& function,
                    uint32_t iterations);

}  // namespace mcusim
