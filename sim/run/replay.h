// SPDX-License-Identifier: MIT
// A recorded stream timed again: the same cycles (law 3), or those of another clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/run/analysis.h"
#include "sim/run/recording.h"
#include "traces/trace_file.h"

namespace mcusim {

struct ReplayOptions {
  std::optional<double> clock_mhz;     // a preset of the board, instead of the recorded clocks
  bool allow_divergence = false;       // time another clock though the guest observed time
  std::vector<ExportRequest> exports;
  TimedSink* also = nullptr;           // sees the Timed stream too
  MemoryObserver* observer = nullptr;  // sees what misses
};

struct ReplayResult {
  Recording recording;
  RecordingEnd end;
  report::Run report;
};

// Runs the trace through a fresh estimator; `on_profile` may look at the profile
// before it is gone. Throws Error for damage, and for another clock where the guest
// observed time unless allowed.
ReplayResult replay(const trace::TraceReader& reader, const std::string& name, const ReplayOptions& options,
                    const std::function<void(const Profile&)>& on_profile = {});

}  // namespace mcusim
