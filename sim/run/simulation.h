// SPDX-License-Identifier: MIT
// One program on one board: machine, estimator and profile wired together, and the
// part of a report that any firmware has. Networks add theirs in network_run.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "memmap/board.h"
#include "sim/loader/program.h"
#include "sim/machine/machine.h"
#include "sim/report/report.h"
#include "sim/run/analysis.h"
#include "sim/run/selection.h"
#include "sim/run/window_recorder.h"
#include "traces/trace_file.h"

namespace mcusim {

struct SimulationOptions {
  MachineOptions machine;
  bool timed = true;            // false: instructions only (--fast)
  ClockPreset clock;            // of the board; core_hz 0 = the board's default
  std::vector<ExportRequest> exports;
  std::string record_path;      // write the stream as a trace; empty: do not
  WindowRequest window;         // what of it
  report::Run facts;            // what the trace shall say of the program: names, layers
  // Called when the guest marks the end of an operator; guest memory may be read.
  std::function<void(uint32_t op_index)> on_layer_end;
};

class Simulation {
 public:
  Simulation(const Board& board, const SimulationOptions& options);

  void load(const Program& program);
  Machine& machine() { return machine_; }
  const Profile& profile() const { return analysis_ ? analysis_->profile() : empty_; }

  // Runs to the end and fills all of a report but what only a network knows.
  // Call once per load. Exports are written by finish(), with the completed report.
  report::Run run(RunResult* result = nullptr);
  void finish(const report::Run& report);

 private:
  void describe(report::Run& report) const;
  // What stands before the estimator to record; nullptr: nothing.
  trace::RetiredSink* record();
  void finish_recording(const RunResult& result, const report::Run& report);
  void fill_memories(report::Run& report) const;

  const Board board_;
  const SimulationOptions options_;
  const Profile empty_;
  Program program_;
  std::unique_ptr<Analysis> analysis_;
  std::unique_ptr<trace::TraceWriter> writer_;
  std::unique_ptr<CallTree> calls_;          // for windows
  std::unique_ptr<WindowRecorder> windows_;  // before the estimator, unless all is recorded
  std::unique_ptr<trace::RetiredSink> tap_;  // in front of all, for on_layer_end
  Machine machine_;
};

// Name as declared and first address of the function that holds `address`.
std::pair<std::string, uint32_t> function_name(const Program& program, uint32_t address);

// "400 MHz, AXI 200 MHz, VOS1, 2 wait states".
std::string describe_clock(const ClockPreset& clock);

}  // namespace mcusim
