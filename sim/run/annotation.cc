// SPDX-License-Identifier: MIT
#include "sim/run/annotation.h"

#include <algorithm>

#include "memmap/base/error.h"
#include "sim/run/replay.h"
#include "sim/run/simulation.h"
#include "sim/timing/core_estimator.h"

namespace mcusim {
namespace {

// Ends a replay that has shown what was wanted.
struct Enough {};

class StopWhenComplete : public TimelineCapture {
 public:
  using TimelineCapture::TimelineCapture;
  void timed(const TimedRun& run) override {
    TimelineCapture::timed(run);
    if (is_complete()) throw Enough{};
  }
};

const report::Function& find_function(const report::Run& report, const std::string& name, const std::string& trace) {
  for (const auto& function : report.functions)
    if (function.name.find(name) != std::string::npos) return function;
  throw Error("{}: no function with '{}' in its name ran", trace, name);
}

// Branches back to an instruction of the same function, by where they lead.
std::optional<Loop> hottest_loop(const AnnotatedLines& lines, const std::map<uint32_t, uint32_t>& branch_to) {
  std::map<uint32_t, Loop> loops;
  for (const auto& [branch, target] : branch_to) {
    if (target > branch || !lines.contains(target) || !lines.contains(branch)) continue;
    Loop& loop = loops[target];
    loop.first = target;
    loop.last = std::max(loop.last, branch);
  }
  std::optional<Loop> hottest;
  for (auto& [first, loop] : loops) {
    const auto inside = [&, &outer = loop](const auto& other) {
      return other.first != outer.first && other.first > outer.first && other.second.last <= outer.last;
    };
    if (std::any_of(loops.begin(), loops.end(), inside)) continue;
    loop.iterations = lines.at(first).share.instructions;
    for (auto line = lines.lower_bound(first); line != lines.end() && line->first <= loop.last; ++line)
      loop.cycles += line->second.share.cycles;
    if (!hottest || loop.cycles > hottest->cycles) hottest = loop;
  }
  return hottest;
}

}  // namespace

Annotation annotate(const trace::TraceReader& reader, const std::string& trace_name, const std::string& function,
                    uint32_t iterations) {
  Annotation out;
  Program names;
  const Recording recording = recording_from_json(reader.metadata(), trace_name);
  names.symbols = recording.functions;
  AnnotatedLines all;
  std::map<uint32_t, uint32_t> branch_to;
  out.report = replay(reader, trace_name, {}, [&](const Profile& profile) {
    profile.for_each_instruction([&](const Instruction& instruction, const Profile::Share& share) {
      AnnotatedLine& line = all[instruction.address];
      line.text = instruction.text;
      line.bytes = instruction.bytes;
      line.share.instructions += share.instructions;
      line.share.cycles += share.cycles;
      for (size_t i = 0; i < kCauseCount; ++i) line.share.causes[i] += share.causes[i];
      if (instruction.is_branch && !instruction.is_call && instruction.branch_target)
        branch_to[instruction.address] = instruction.branch_target;
    });
  }).report;
  out.function = find_function(out.report, function, trace_name);
  for (const auto& [address, line] : all)
    if (function_name(names, address).second == out.function.address) out.lines.emplace(address, line);
  out.loop = hottest_loop(out.lines, branch_to);
  if (!out.loop || iterations == 0) return out;

  StopWhenComplete capture(*out.loop, out.lines.begin()->first, out.lines.rbegin()->first + 1, iterations);
  const auto estimator = make_estimator(load_board(recording.board));
  estimator->attach(&capture);
  try {
    reader.replay(*estimator);
  } catch (const Enough&) {
  }
  out.timeline = capture.rows();
  return out;
}

}  // namespace mcusim
