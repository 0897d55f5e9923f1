// SPDX-License-Identifier: MIT
// Networks made and run for a page: each is built by one of our commands, run on
// the emulated board, judged on the data where there is some; all of it kept in
// DIR/work and not made twice (steps.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quant/paper/papers.h"
#include "quant/paper/steps.h"

namespace mcusim::paper {

// What the report of a run says (docs/report_schema.md).
struct RunFacts {
  uint64_t cycles = 0, instructions = 0, macs = 0;
  uint64_t container_bytes = 0, image_bytes = 0, arena_bytes = 0;  // arena: the measured peak
  double core_hz = 0;
  std::string timing_table, error_band;

  double milliseconds() const { return 1e3 * static_cast<double>(cycles) / core_hz; }
  double frames_per_second() const { return core_hz / static_cast<double>(cycles); }
};
RunFacts read_run_facts(const std::string& path);  // throws Error

struct Build {
  std::string name;                 // unique on the page
  std::vector<std::string> words;   // "mcusim zoo ..." without -o
  std::vector<std::string> inputs;  // files that decide the result
  bool judge = false;               // count right answers behind the calibration inputs
};

struct Built {
  std::optional<RunFacts> run;
  std::string refusal;              // why there is no network, or why it was not run
  std::optional<uint64_t> correct;  // of judged builds
};

class Workshop {
 public:
  Workshop(const Options& options, Page& page) : options_(options), page_(page) {}

  std::string file(const std::string& name) const { return options_.folder + "/work/" + name; }
  const Options& options() const { return options_; }

  // Results in the order given; the commands go onto the page.
  std::vector<StepResult> run(const char* what, const std::vector<Step>& steps);
  std::vector<Built> make(const std::vector<Build>& builds);

  // Board, timing table and error band of what was simulated, as sentences.
  std::string provenance() const;

 private:
  const Options& options_;
  Page& page_;
  std::optional<RunFacts> last_run_;
};

// "refused: ..." in a table cell: the sentence without the program's name, cut at the first clause.
std::string short_refusal(const std::string& refusal);

}  // namespace mcusim::paper
