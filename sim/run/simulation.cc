// SPDX-License-Identifier: MIT
#include "sim/run/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "memmap/base/error.h"
#include "sim/run/demangle.h"
#include "sim/run/recording.h"
#include "sim/run/version.h"

namespace mcusim {
namespace {

ClockPreset preset_or_default(const Board& board, const ClockPreset& wanted) {
  if (wanted.core_hz != 0) return wanted;
  if (board.clocks.empty()) throw Error("board {}: has no clock preset", board.name);
  return board.clocks.front();
}

// Passes the stream on and reports layer ends on the way.
class LayerTap : public trace::RetiredSink {
 public:
  LayerTap(trace::RetiredSink* next, std::function<void(uint32_t)> on_layer_end)
      : next_(next), on_layer_end_(std::move(on_layer_end)) {}

  void block_defined(const trace::BlockInfo& info) override {
    if (next_) next_->block_defined(info);
  }
  void run(const trace::BlockRun& block_run) override {
    if (next_) next_->run(block_run);
  }
  void mark(const trace::Mark& mark) override {
    if (next_) next_->mark(mark);
    if (mark.port == trace::kLayerEnd) on_layer_end_(mark.value);
  }
  void control(const trace::Control& control) override {
    if (next_) next_->control(control);
  }
  void exception(const trace::Exception& exception) override {
    if (next_) next_->exception(exception);
  }
  void window_start(const trace::WindowStart& start) override {
    if (next_) next_->window_start(start);
  }

 private:
  trace::RetiredSink* next_;
  std::function<void(uint32_t)> on_layer_end_;
};

// A trace holds no segments: a function without a size (assembly) gets the one it has here,
// up to the next function or the end of its segment.
std::vector<Symbol> sized_functions(const Program& program) {
  std::vector<Symbol> functions;
  for (const auto& symbol : program.symbols)
    if (symbol.is_function) functions.push_back(symbol);
  uint64_t next = uint64_t{1} << 32, last = next;      // addresses above, of two functions
  for (size_t i = functions.size(); i-- > 0;) {
    Symbol& symbol = functions[i];
    if (symbol.address != last) next = std::exchange(last, symbol.address);
    if (symbol.size_bytes != 0) continue;
    for (const auto& segment : program.segments)
      if (symbol.address - segment.address < segment.bytes.size())
        symbol.size_bytes = static_cast<uint32_t>(
            std::min<uint64_t>(next, segment.address + segment.bytes.size()) - symbol.address);
  }
  return functions;
}

// Where a failed run stood, for people: the last instructions, oldest first.
void add_history(const RunResult& result, report::Run& report) {
  if (!is_failure(result.reason)) return;
  for (const auto& instruction : result.last)
    report.notes.push_back(fmt::format("ran 0x{:08x}: {}", instruction.address, instruction.text));
}

}  // namespace

Simulation::Simulation(const Board& board, const SimulationOptions& options)
    : board_(board), options_(options), machine_(board, options.machine) {}

std::pair<std::string, uint32_t> function_name(const Program& program, uint32_t address) {
  if (const Symbol* symbol = program.function_at(address)) return {demangled(symbol->name), symbol->address};
  return {fmt::format("0x{:08x}", address), address};
}

void Simulation::load(const Program& program) {
  program_ = program;
  trace::RetiredSink* sink = nullptr;
  if (options_.timed) {
    AnalysisOptions analysis_options;
    analysis_options.program = program.name;
    analysis_options.exports = options_.exports;
    analysis_options.name_of = [this](uint32_t address) { return function_name(program_, address); };
    for (const auto& layer : options_.facts.layers)
      if (layer.op_index >= 0) analysis_options.layers.push_back(layer);
    if (!options_.window.whole()) calls_ = std::make_unique<CallTree>(analysis_options.name_of);
    analysis_options.also = calls_.get();
    analysis_ = std::make_unique<Analysis>(board_, std::move(analysis_options));
    sink = &analysis_->estimator();
  }
  if (trace::RetiredSink* recorder = record()) sink = recorder;
  if (options_.on_layer_end) {
    tap_ = std::make_unique<LayerTap>(sink, options_.on_layer_end);
    sink = tap_.get();
  }
  machine_.attach(sink, analysis_ ? &analysis_->estimator() : nullptr);
  machine_.load(program);
}

trace::RetiredSink* Simulation::record() {
  if (options_.record_path.empty()) return nullptr;
  Recording recording{board_.name, options_.facts, {}, {}};
  describe(recording.facts);
  recording.functions = sized_functions(program_);
  trace::RetiredSink* timed = analysis_ ? &analysis_->estimator() : nullptr;
  if (options_.window.whole()) {
    writer_ = std::make_unique<trace::TraceWriter>(options_.record_path, to_json(recording), timed);
    return writer_.get();
  }
  check(analysis_ != nullptr, "a window is recorded with its timing");
  const Window window = make_window(options_.window, recording.facts.layers, recording.functions, program_.name);
  recording.window = window.text;
  writer_ = std::make_unique<trace::TraceWriter>(options_.record_path, to_json(recording), nullptr);
  windows_ = std::make_unique<WindowRecorder>(window, *writer_, analysis_->estimator(), *calls_);
  return windows_.get();
}

void Simulation::finish_recording(const RunResult& result, const report::Run& report) {
  if (!writer_) return;
  RecordingEnd end{result.instructions, report.cycles, report.timing_table, result.time_observed};
  end.run_instructions = end.instructions;
  end.run_cycles = end.cycles;
  if (windows_) {
    end.instructions = windows_->instructions();
    end.cycles = windows_->cycles();
    end.stretches = windows_->stretches();
    end.left_out = windows_->left_out();
    if (end.stretches == 0)
      throw Error("{}: nothing to record: the run of {} instructions and {} cycles never came to {}",
                  options_.record_path, end.run_instructions, end.run_cycles, windows_->text());
  }
  writer_->finish(to_json(end));
}

// What is known of a run before it starts.
void Simulation::describe(report::Run& report) const {
  report.tool_version = kVersion;
  report.engine = kEngine;
  report.board = board_.name;
  const ClockPreset clock = preset_or_default(board_, options_.clock);
  report.clock = describe_clock(clock);
  report.core_hz = clock.core_hz;
  report.program = program_.name;
  report.program_crc32 = options_.facts.program_crc32;
  for (const Region& region : board_.regions)
    if (region.is_memory()) report.regions.push_back({region.name, region.base, region.size_bytes});
  std::sort(report.regions.begin(), report.regions.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
}

report::Run Simulation::run(RunResult* result_out) {
  const RunResult result = machine_.run();
  if (result_out) *result_out = result;

  report::Run report;
  describe(report);
  report.end = end_reason_name(result.reason);
  report.exit_code = result.exit_code;
  report.message = result.message;
  report.instructions = result.instructions;
  if (analysis_) analysis_->fill(report, result.instructions);
  finish_recording(result, report);
  fill_memories(report);
  for (const auto& touch : machine_.peripheral_touches())
    if (touch.device.empty())
      report.notes.push_back(fmt::format("peripheral 0x{:08x} is plain storage here, first touched by {}",
                                         touch.address, program_.describe(touch.first_block)));
  for (const std::string& fault : result.faults) report.notes.push_back("fault: " + fault);
  add_history(result, report);
  return report;
}

void Simulation::finish(const report::Run& report) {
  if (analysis_) analysis_->write_exports(report);
}

void Simulation::fill_memories(report::Run& report) const {
  for (const auto& use : machine_.region_use()) {
    const Region& region = board_.region(use.region);
    const uint64_t loaded = program_.bytes_inside(use.base, use.size_bytes);
    if (region.kind == RegionKind::flash && loaded)
      report.memories.push_back({use.region, "image", 0, loaded, use.size_bytes, use.base});
    else if (use.bytes_touched)
      report.memories.push_back({use.region, "data", 0, use.bytes_touched, use.size_bytes, use.lowest});
  }
  const StackUse stack = machine_.stack_use();
  report.memories.push_back({"stack", "high-water", 0, stack.used_bytes(),
                             stack.limit ? stack.top - *stack.limit : 0, stack.limit.value_or(stack.lowest)});
}

std::string describe_clock(const ClockPreset& clock) {
  return fmt::format("{} MHz, AXI {} MHz{}, {} wait states", static_cast<double>(clock.core_hz) / 1e6,
                     static_cast<double>(clock.axi_hz) / 1e6, clock.vos.empty() ? "" : ", " + clock.vos,
                     clock.flash_wait_states);
}

}  // namespace mcusim
