// SPDX-License-Identifier: MIT
#include "sim/run/simulation.h"

#include <fmt/format.h>

#include "memmap/base/error.h"
#include "sim/run/demangle.h"
#include "sim/run/version.h"
#include "sim/timing/accuracy.h"
#include "sim/timing/core_estimator.h"

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

 private:
  trace::RetiredSink* next_;
  std::function<void(uint32_t)> on_layer_end_;
};

// One stream to two sinks.
class TimedTee : public TimedSink {
 public:
  TimedTee(TimedSink& first, TimedSink& second) : first_(first), second_(second) {}
  void timed(const TimedRun& run) override {
    first_.timed(run);
    second_.timed(run);
  }
  void mark(const trace::Mark& mark, uint64_t cycle) override {
    first_.mark(mark, cycle);
    second_.mark(mark, cycle);
  }
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override {
    first_.exception(exception, start_cycle, cycles);
    second_.exception(exception, start_cycle, cycles);
  }

 private:
  TimedSink& first_;
  TimedSink& second_;
};

// Where a failed run stood, for people: the last instructions, oldest first.
void add_history(const RunResult& result, report::Run& report) {
  if (!is_failure(result.reason)) return;
  for (const auto& instruction : result.last)
    report.notes.push_back(fmt::format("ran 0x{:08x}: {}", instruction.address, instruction.text));
}

}  // namespace

Simulation::Simulation(const Board& board, const SimulationOptions& options)
    : board_(board), options_(options), machine_(board, options.machine) {
  if (options_.timed) {
    estimator_ = make_estimator(board_);
    estimator_->attach(&profile_);
  }
  trace::RetiredSink* sink = estimator_.get();
  if (options_.on_layer_end) {
    tap_ = std::make_unique<LayerTap>(sink, options_.on_layer_end);
    sink = tap_.get();
  }
  machine_.attach(sink, estimator_.get());
}

std::pair<std::string, uint32_t> Simulation::name_of(uint32_t address) const {
  if (const Symbol* symbol = program_.function_at(address)) return {demangled(symbol->name), symbol->address};
  return {fmt::format("0x{:08x}", address), address};
}

void Simulation::load(const Program& program) {
  program_ = program;
  if (estimator_ && !options_.exports.empty()) {
    auto layer_name = options_.layer_name ? options_.layer_name : [](uint32_t op) { return fmt::format("layer {}", op); };
    exports_ = std::make_unique<Exports>(options_.exports, program.name,
                                         [this](uint32_t address) { return name_of(address); }, layer_name);
    tee_ = std::make_unique<TimedTee>(profile_, *exports_);
    estimator_->attach(tee_.get());
  }
  machine_.load(program);
}

report::Run Simulation::run(RunResult* result_out) {
  const RunResult result = machine_.run();
  if (result_out) *result_out = result;

  report::Run report;
  report.tool_version = kVersion;
  report.engine = kEngine;
  report.board = board_.name;
  const ClockPreset clock = preset_or_default(board_, options_.clock);
  report.clock = describe_clock(clock);
  report.core_hz = clock.core_hz;
  report.program = program_.name;
  report.end = end_reason_name(result.reason);
  report.exit_code = result.exit_code;
  report.message = result.message;
  report.instructions = result.instructions;
  if (estimator_) {
    const auto& total = profile_.total();
    check(total.instructions == result.instructions, "the estimator saw every retired instruction");
    check(total.causes == estimator_->totals(), "the profile saw every cycle of the estimator");
    report.cycles = total.cycles;
    report.causes = total.causes;
    report.timing_table = estimator_->table_hash();
    report.timing_guesses = estimator_->guess_count();
    report.error_band = kErrorBand;
    report.functions = profile_.functions([this](uint32_t address) { return name_of(address); });
  }
  fill_memories(report);
  for (const auto& touch : machine_.peripheral_touches())
    if (touch.device.empty())
      report.notes.push_back(fmt::format("peripheral 0x{:08x} is plain storage here, first touched by {}",
                                         touch.address, program_.describe(touch.first_block)));
  add_history(result, report);
  return report;
}

void Simulation::finish(const report::Run& report) {
  if (exports_) exports_->write(report, profile_);
}

void Simulation::fill_memories(report::Run& report) const {
  for (const auto& use : machine_.region_use()) {
    const Region& region = board_.region(use.region);
    const uint64_t loaded = program_.bytes_inside(use.base, use.size_bytes);
    if (region.kind == RegionKind::flash && loaded)
      report.memories.push_back({use.region, "image", 0, loaded, use.size_bytes});
    else if (use.bytes_touched)
      report.memories.push_back({use.region, "data", 0, use.bytes_touched, use.size_bytes});
  }
  const StackUse stack = machine_.stack_use();
  report.memories.push_back({"stack", "high-water", 0, stack.used_bytes(),
                             stack.limit ? stack.top - *stack.limit : 0});
}

std::string describe_clock(const ClockPreset& clock) {
  return fmt::format("{} MHz, AXI {} MHz{}, {} wait states", static_cast<double>(clock.core_hz) / 1e6,
                     static_cast<double>(clock.axi_hz) / 1e6, clock.vos.empty() ? "" : ", " + clock.vos,
                     clock.flash_wait_states);
}

}  // namespace mcusim
