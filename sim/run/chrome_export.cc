// SPDX-License-Identifier: MIT
// Perfetto's view of a run: layers and functions as slices; arena bytes, stack bytes
// and instructions per cycle as counters.
#include <fmt/format.h>

#include <algorithm>

#include "sim/run/stream_exports.h"
#include "traces/chrome_trace.h"

namespace mcusim {
namespace {

// Depth of the stack as accesses through SP show it: the lowest address of an interval
// below the highest of all time. One stack: threads with stacks of their own are not
// told apart.
class StackDepth {
 public:
  void look(const TimedRun& run) {
    constexpr RegisterSet kSp = RegisterSet{1} << 13;
    for (const auto& access : run.run->accesses) {
      if (!(run.block->instructions[access.instruction].address_reads & kSp)) continue;
      lowest_ = std::min(lowest_, access.address);
      top_ = std::max(top_, access.address + access.bytes);
    }
  }
  // Bytes at the deepest since the last call; what it was then, when nothing was touched.
  uint32_t take() {
    if (lowest_ < top_) last_ = top_ - lowest_;
    lowest_ = UINT32_MAX;
    return last_;
  }

 private:
  uint32_t lowest_ = UINT32_MAX, top_ = 0, last_ = 0;
};

class ChromeExport : public StreamExport, public SliceListener {
 public:
  ChromeExport(const std::string& path, const ExportFacts& facts) : facts_(facts), chrome_(path, facts.program) {}

  SliceListener* slices() override { return this; }
  void enter(const std::string& function, uint64_t cycle) override {
    chrome_.enter(trace::Track::functions, function, cycle);
  }
  void leave(uint64_t cycle) override { chrome_.leave(trace::Track::functions, cycle); }

  void timed(const TimedRun& run) override {
    stack_.look(run);
    instructions_ += run.run->instructions;
    if (const uint64_t end = run.start_cycle + run.cycles; end - sampled_ >= interval_) sample(end);
  }
  void mark(const trace::Mark& mark, uint64_t cycle) override {
    const report::Layer* layer = mark.value < facts_.layers.size() ? &facts_.layers[mark.value] : nullptr;
    if (mark.port == trace::kLayerBegin) {
      chrome_.enter(trace::Track::layers, layer ? layer->name : fmt::format("layer {}", mark.value), cycle);
      if (layer) chrome_.counter("arena bytes", cycle, static_cast<double>(layer->live_activation_bytes));
    }
    if (mark.port == trace::kLayerEnd) chrome_.leave(trace::Track::layers, cycle);
  }
  void exception(const trace::Exception&, uint64_t, uint64_t) override {}
  void slept(uint64_t, uint64_t) override {}
  void window_start(const trace::WindowStart& start) override {
    sampled_ = start.cycle;
    instructions_ = 0;
  }
  void finish(uint64_t cycle) override {
    if (cycle > sampled_) sample(cycle);
    chrome_.finish(cycle);
  }

 private:
  // Twice as long an interval after every 4096 samples: their number grows with the
  // logarithm of the run.
  void sample(uint64_t cycle) {
    const auto per_cycle = static_cast<double>(instructions_) / static_cast<double>(cycle - sampled_);
    chrome_.counter("IPC", sampled_, static_cast<double>(static_cast<uint64_t>(per_cycle * 1000 + 0.5)) / 1000);
    chrome_.counter("stack bytes", sampled_, stack_.take());
    sampled_ = cycle;
    instructions_ = 0;
    if (++samples_ % 4096 == 0) interval_ *= 2;
  }

  const ExportFacts facts_;
  trace::ChromeTrace chrome_;
  StackDepth stack_;
  uint64_t sampled_ = 0, interval_ = 1000, samples_ = 0, instructions_ = 0;
};

}  // namespace

std::unique_ptr<StreamExport> make_chrome_export(const std::string& path, const ExportFacts& facts) {
  return std::make_unique<ChromeExport>(path, facts);
}

}  // namespace mcusim
