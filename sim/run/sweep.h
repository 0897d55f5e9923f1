// SPDX-License-Identifier: MIT
// A sweep: every point in a process of its own, its result kept in a state folder, so
// that a killed sweep goes on where it stopped.
//
// A finished point is two files: LABEL.json, the run report, and then LABEL.point, which
// says of which program, network, input, board and timing table it was made. A point
// whose facts differ from today's is run again.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/run/sweep_points.h"

namespace mcusim {

// What a result depends on besides its point: name -> checksum or value.
using SweepFacts = std::map<std::string, std::string>;

struct SweepResult {
  bool ran = false;             // false: `reason` says why there is no report
  std::string reason;
  std::string outputs_crc32;    // of the network's outputs, equal at every point
  report::Run report;
};

struct SweepOptions {
  std::string state_folder;
  unsigned jobs = 1;            // processes at a time
  // Runs in a process of its own; an Error it throws is the point's reason.
  std::function<SweepResult(const SweepPoint&)> run;
  std::function<SweepFacts(const SweepPoint&)> facts;
  std::function<void(size_t done, size_t total)> progress;   // may be empty
};

struct Sweep {
  std::vector<SweepResult> results;         // one per point
  size_t kept = 0;                          // taken from the state folder
  std::map<std::string, size_t> changed;    // points run again, by the first fact that differed
  size_t broken = 0;                        // points whose process died; not kept
};

// Throws Error when the state folder cannot be used.
Sweep run_sweep(const std::vector<SweepPoint>& points, const SweepOptions& options);

}  // namespace mcusim
