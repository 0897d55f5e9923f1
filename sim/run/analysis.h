// SPDX-License-Identifier: MIT
// The timed side of a run: estimator, profile and exporters behind one sink. Knows
// nothing of where the Retired stream comes from, so live runs and replays share it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "memmap/board.h"
#include "sim/report/report.h"
#include "sim/run/exports.h"
#include "sim/run/profile.h"
#include "sim/timing/estimator.h"

namespace mcusim {

struct AnalysisOptions {
  std::string program;                       // name, for exports
  CallTree::NameOf name_of;                  // function name and start of an address
  std::vector<report::Layer> layers;         // by operator index, for exports
  std::vector<ExportRequest> exports;
  TimedSink* also = nullptr;                 // sees the Timed stream too
};

class Analysis {
 public:
  Analysis(const Board& board, AnalysisOptions options);
  ~Analysis();

  Estimator& estimator() { return *estimator_; }
  const Profile& profile() const { return profile_; }
  // Cycles, causes, functions and the timing facts of a report; law 1 is asserted
  // against the machine's own count.
  void fill(report::Run& report, uint64_t retired_instructions) const;
  void write_exports(const report::Run& report);

 private:
  const AnalysisOptions options_;
  std::unique_ptr<Estimator> estimator_;
  Profile profile_;
  std::unique_ptr<Exports> exports_;
  std::unique_ptr<TimedSink> tee_;           // profile and the others
};

}  // namespace mcusim
