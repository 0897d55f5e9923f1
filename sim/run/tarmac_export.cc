// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>

#include "sim/run/run_context.h"
#include "sim/run/stream_exports.h"
#include "traces/tarmac.h"

namespace mcusim {
namespace {

class TarmacExport : public StreamExport {
 public:
  explicit TarmacExport(const std::string& path) : tarmac_(path) {}

  void timed(const TimedRun& run) override {
    if (entered_) tarmac_.exception(run.start_cycle, run.block->address, *entered_);
    entered_.reset();
    const uint32_t count = run.run->instructions;
    cycles_.assign(count, 0);
    for (const auto& part : run.parts) cycles_[part.instruction] += part.cycles;
    uint64_t now = run.start_cycle;
    auto access = run.run->accesses.begin();
    for (uint32_t i = 0; i < count; ++i) {
      now += cycles_[i];
      const Instruction& instruction = run.block->instructions[i];
      const bool skipped = i < 64 && (run.run->skipped >> i & 1);
      tarmac_.instruction(now, skipped, instruction.address, instruction.opcode, instruction.bytes, !active_.empty(),
                          instruction.text);
      for (; access != run.run->accesses.end() && access->instruction == i; ++access)
        tarmac_.access(now, access->is_write, access->address, access->bytes);
    }
  }
  void mark(const trace::Mark&, uint64_t) override {}
  void exception(const trace::Exception& exception, uint64_t, uint64_t) override {
    if (exception.entry) {
      active_.push_back(exception.number);
      entered_ = exception.number;
    } else if (!active_.empty()) {
      active_.pop_back();
    }
  }
  void slept(uint64_t, uint64_t) override {}
  void window_start(const trace::WindowStart& start) override {
    const CallStack calls = run_context_from_bytes(start.context).calls;
    active_.assign(calls.interrupted.size(), 0);
    entered_.reset();
  }
  void finish(uint64_t) override { tarmac_.finish(); }

 private:
  trace::Tarmac tarmac_;
  std::vector<uint32_t> active_;           // exceptions, outermost first
  std::optional<uint32_t> entered_;        // whose first instruction comes next
  std::vector<uint64_t> cycles_;
};

}  // namespace

std::unique_ptr<StreamExport> make_tarmac_export(const std::string& path, const ExportFacts&) {
  return std::make_unique<TarmacExport>(path);
}

}  // namespace mcusim
