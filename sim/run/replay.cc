// SPDX-License-Identifier: MIT
#include "sim/run/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "memmap/base/error.h"
#include "sim/run/demangle.h"
#include "sim/run/layer_rows.h"
#include "sim/run/simulation.h"

namespace mcusim {
namespace {

// Passes the stream on, with the clock events of another preset.
class ReplayTap : public trace::RetiredSink {
 public:
  ReplayTap(trace::RetiredSink& timed, const std::optional<ClockPreset>& clock) : timed_(timed), clock_(clock) {}

  void block_defined(const trace::BlockInfo& info) override {
    timed_.block_defined(info);
  }
  void run(const trace::BlockRun& run) override {
    timed_.run(run);
    instructions_ += run.instructions;
  }
  void mark(const trace::Mark& mark) override {
    timed_.mark(mark);
  }
  void control(const trace::Control& recorded) override {
    trace::Control control = recorded;
    using What = trace::Control::What;
    if (clock_ && control.what == What::core_hz) control.value = static_cast<uint32_t>(clock_->core_hz);
    if (clock_ && control.what == What::axi_hz) control.value = static_cast<uint32_t>(clock_->axi_hz);
    if (clock_ && control.what == What::flash_wait_states) control.value = clock_->flash_wait_states;
    timed_.control(control);
  }
  void exception(const trace::Exception& exception) override {
    timed_.exception(exception);
  }
  void window_start(const trace::WindowStart& start) override {
    timed_.window_start(start);
    if (clock_)
      for (const auto& [what, value] : {std::pair{trace::Control::What::core_hz, clock_->core_hz},
                                        std::pair{trace::Control::What::axi_hz, clock_->axi_hz},
                                        std::pair{trace::Control::What::flash_wait_states, uint64_t{clock_->flash_wait_states}}})
        timed_.control({what, static_cast<uint32_t>(value)});
  }
  uint64_t instructions() const { return instructions_; }

 private:
  trace::RetiredSink& timed_;
  const std::optional<ClockPreset> clock_;
  uint64_t instructions_ = 0;
};

std::string describe_window(const ReplayResult& result) {
  const RecordingEnd& end = result.end;
  return fmt::format("window: {}, {} stretch{} of a run of {} instructions and {} cycles{}", result.recording.window,
                     end.stretches, end.stretches == 1 ? "" : "es", end.run_instructions, end.run_cycles,
                     end.left_out ? fmt::format("; {} more were not recorded", end.left_out) : "");
}

// Figures of the replay into the recorded layer facts.
void fill_layers(report::Run& report, const Profile& profile, const std::string& name) {
  const auto known = static_cast<size_t>(std::count_if(report.layers.begin(), report.layers.end(),
                                                       [](const auto& layer) { return layer.op_index >= 0; }));
  if (!report.layers.empty() && profile.layers().size() > known)
    throw Error("{}: marks layer {}, its facts say {} layers", name, profile.layers().size() - 1, known);
  bool first_outside = true;
  for (auto& layer : report.layers) {
    Profile::Share share;
    if (layer.op_index < 0) {
      share = first_outside ? profile.startup() : profile.between();
      first_outside = false;
    } else if (static_cast<size_t>(layer.op_index) < profile.layers().size()) {
      share = profile.layers()[static_cast<size_t>(layer.op_index)];
    }
    layer.instructions = share.instructions;
    layer.cycles = share.cycles;
    layer.data_bytes = share.data_bytes;
    layer.causes = share.causes;
  }
}

}  // namespace

ReplayResult replay(const trace::TraceReader& reader, const std::string& name, const ReplayOptions& options,
                    const std::function<void(const Profile&)>& on_profile) {
  ReplayResult result{recording_from_json(reader.metadata(), name), recording_end_from_json(reader.summary(), name), {}};
  const Board board = load_board(result.recording.board);
  const bool is_window = !result.recording.window.empty();
  std::optional<ClockPreset> clock;
  if (options.clock_mhz) {
    clock = board.clock(static_cast<uint64_t>(*options.clock_mhz * 1e6 + 0.5));
    if (result.end.time_observed && !options.allow_divergence)
      throw Error("{}: the guest observed time, so another clock may change its path; pass --allow-divergence to time "
                  "the recorded path all the same", name);
    if (is_window && !options.allow_divergence)
      throw Error("{}: a window starts in the state that the recorded clock led to; pass --allow-divergence to time it "
                  "at another all the same", name);
  }
  Program names;
  names.symbols = result.recording.functions;
  AnalysisOptions analysis_options;
  analysis_options.program = result.recording.facts.program;
  analysis_options.exports = options.exports;
  analysis_options.also = options.also;
  for (const auto& layer : result.recording.facts.layers)
    if (layer.op_index >= 0) analysis_options.layers.push_back(layer);
  analysis_options.name_of = [&](uint32_t address) { return function_name(names, address); };
  Analysis analysis(board, std::move(analysis_options));
  analysis.estimator().observe(options.observer);
  ReplayTap tap(analysis.estimator(), clock);
  try {
    reader.replay(tap);
  } catch (const Error& error) {
    const std::string what = error.what();
    throw Error("{}{}", what.starts_with(name) ? "" : name + ": ", what);
  }

  report::Run& report = result.report;
  report = result.recording.facts;
  if (clock) {
    report.clock = describe_clock(*clock);
    report.core_hz = clock->core_hz;
    if (result.end.time_observed) report.notes.push_back("diverged clock: the guest observed time on the recorded one");
    if (is_window) report.notes.push_back("diverged clock: the window starts in a state of the recorded one");
  }
  if (is_window) report.notes.push_back(describe_window(result));
  analysis.fill(report, tap.instructions());
  fill_layers(report, analysis.profile(), name);
  report.is_network = !report.layers.empty();
  report::check_conservation(report);
  if (tap.instructions() != result.end.instructions)
    throw Error("{}: holds {} instructions, its summary says {}", name, tap.instructions(), result.end.instructions);
  if (!clock && report.timing_table == result.end.timing_table && report.cycles != result.end.cycles)
    throw Error("{}: takes {} cycles, its summary says {}", name, report.cycles, result.end.cycles);
  analysis.write_exports(report);
  if (on_profile) on_profile(analysis.profile());
  return result;
}

}  // namespace mcusim
