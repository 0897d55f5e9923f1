// SPDX-License-Identifier: MIT
// Everything a run can write besides its report: the exporters of sim/report and
// traces/ behind one list of formats, fed from the Timed stream while it runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/run/call_tree.h"
#include "sim/run/profile.h"
#include "sim/run/stream_exports.h"

namespace mcusim {

struct ExportRequest {
  std::string format, path;
};

// "FORMAT=FILE"; throws UsageError listing the formats.
ExportRequest parse_export(const std::string& text);
// One line per format, for --help.
std::string export_formats_help();

class Exports : public TimedSink {
 public:
  Exports(std::vector<ExportRequest> requests, const ExportFacts& facts);
  ~Exports() override;

  void timed(const TimedRun& run) override;
  void mark(const trace::Mark& mark, uint64_t cycle) override;
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override;
  void slept(uint64_t start_cycle, uint64_t cycles) override;
  void window_start(const trace::WindowStart& start) override;

  // Writes all files, after the run.
  void write(const report::Run& report, const Profile& profile);

 private:
  std::vector<ExportRequest> requests_;
  std::string program_;
  std::vector<std::unique_ptr<StreamExport>> streams_;
  std::unique_ptr<CallTree> tree_;
  std::vector<TimedSink*> sinks_;     // the tree first, so that slices open before what is in them
  uint64_t now_ = 0;
};

}  // namespace mcusim
