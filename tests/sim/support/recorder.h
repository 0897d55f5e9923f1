// SPDX-License-Identifier: MIT
// A sink that keeps the whole event stream, for tests on small guests.
#pragma once

#include <string>
#include <vector>

#include "sim/machine/machine.h"
#include "traces/events.h"

namespace mcusim::test {

class Recorder : public trace::RetiredSink {
 public:
  struct Run {
    uint32_t block, instructions;
    std::vector<trace::Access> accesses;
    uint64_t skipped;
  };
  void block_defined(const trace::BlockInfo& info) override { blocks.push_back(info); }
  void run(const trace::BlockRun& run) override {
    runs.push_back({run.block, run.instructions, {run.accesses.begin(), run.accesses.end()},
                    run.skipped});
    order += 'r';
  }
  void mark(const trace::Mark& mark) override {
    marks.push_back(mark);
    order += 'm';
  }
  void control(const trace::Control& control) override {
    controls.push_back(control);
    order += 'c';
  }
  void exception(const trace::Exception& exception) override {
    exceptions.push_back(exception);
    order += exception.entry ? '<' : '>';
  }

  // "r4@1 w8@3": accesses of all runs as direction, bytes, instruction's text.
  std::vector<std::string> access_texts(const Machine& machine) const {
    std::vector<std::string> texts;
    for (const auto& run : runs)
      for (const auto& access : run.accesses)
        texts.push_back((access.is_write ? "w" : "r") + std::to_string(access.bytes) + " " +
                        machine.block(run.block).instructions[access.instruction].text);
    return texts;
  }
  uint64_t instructions() const {
    uint64_t total = 0;
    for (const auto& run : runs) total += run.instructions;
    return total;
  }

  std::vector<trace::BlockInfo> blocks;
  std::vector<Run> runs;
  std::vector<trace::Mark> marks;
  std::vector<trace::Control> controls;
  std::vector<trace::Exception> exceptions;
  std::string order;
};

}  // namespace mcusim::test
