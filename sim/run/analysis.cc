// SPDX-License-Identifier: MIT
#include "sim/run/analysis.h"

#include <fmt/format.h>
#include <tuple>

#include "memmap/base/error.h"
#include "sim/timing/accuracy.h"
#include "sim/timing/core_estimator.h"

namespace mcusim {
namespace {

// One stream to several sinks.
class TimedTee : public TimedSink {
 public:
  explicit TimedTee(std::vector<TimedSink*> sinks) : sinks_(std::move(sinks)) {}
  void timed(const TimedRun& run) override {
    for (TimedSink* sink : sinks_) sink->timed(run);
  }
  void repeated(std::span<const TimedRun> loop, uint64_t times, uint64_t period_cycles) override {
    for (TimedSink* sink : sinks_) sink->repeated(loop, times, period_cycles);
  }
  void mark(const trace::Mark& mark, uint64_t cycle) override {
    for (TimedSink* sink : sinks_) sink->mark(mark, cycle);
  }
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override {
    for (TimedSink* sink : sinks_) sink->exception(exception, start_cycle, cycles);
  }
  void slept(uint64_t start_cycle, uint64_t cycles) override {
    for (TimedSink* sink : sinks_) sink->slept(start_cycle, cycles);
  }
  void window_start(const trace::WindowStart& start) override {
    for (TimedSink* sink : sinks_) sink->window_start(start);
  }

 private:
  const std::vector<TimedSink*> sinks_;
};

}  // namespace

Analysis::Analysis(const Board& board, AnalysisOptions options)
    : options_(std::move(options)), estimator_(make_estimator(board)) {
  std::vector<TimedSink*> sinks = {&profile_};
  if (options_.also) sinks.push_back(options_.also);
  if (!options_.exports.empty()) {
    exports_ = std::make_unique<Exports>(options_.exports, ExportFacts{options_.program, options_.name_of, options_.layers});
    sinks.push_back(exports_.get());
  }
  if (sinks.size() > 1) tee_ = std::make_unique<TimedTee>(sinks);
  estimator_->attach(tee_ ? tee_.get() : sinks.front());
}

Analysis::~Analysis() = default;

void Analysis::fill(report::Run& report, uint64_t retired_instructions) const {
  const auto& total = profile_.total();
  check(total.instructions == retired_instructions, "the estimator saw every retired instruction");
  check(total.causes == estimator_->totals(), "the profile saw every cycle of the estimator");
  report.instructions = total.instructions;
  report.cycles = total.cycles;
  report.causes = total.causes;
  report.timing_table = estimator_->table_hash();
  report.timing_guesses = estimator_->guess_count();
  std::tie(report.cycles_low, report.cycles_high) = estimator_->range();
  report.error_band = kErrorBand;
  report.functions = profile_.functions(options_.name_of);
}

void Analysis::write_exports(const report::Run& report) {
  if (exports_) exports_->write(report, profile_);
}

}  // namespace mcusim
