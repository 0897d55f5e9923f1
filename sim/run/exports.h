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
#include "traces/chrome_trace.h"

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
  using NameOf = CallTree::NameOf;
  using LayerName = std::function<std::string(uint32_t op_index)>;
  Exports(std::vector<ExportRequest> requests, const std::string& program, NameOf name_of, LayerName layer_name);
  ~Exports() override;

  bool wants_stream() const { return tree_ != nullptr; }
  void timed(const TimedRun& run) override;
  void mark(const trace::Mark& mark, uint64_t cycle) override;
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override;
  void slept(uint64_t start_cycle, uint64_t cycles) override;
  void window_start(const trace::WindowStart& start) override;

  // Writes all files, after the run.
  void write(const report::Run& report, const Profile& profile);

 private:
  class Slices;

  std::vector<ExportRequest> requests_;
  std::string program_;
  LayerName layer_name_;
  std::unique_ptr<trace::ChromeTrace> chrome_;
  std::unique_ptr<Slices> slices_;
  std::unique_ptr<CallTree> tree_;
  uint64_t now_ = 0;
};

}  // namespace mcusim
