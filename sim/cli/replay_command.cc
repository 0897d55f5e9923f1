// SPDX-License-Identifier: MIT
// `mcusim replay`: a trace timed again, with the recorded clocks or others.
#include <fmt/format.h>

#include <memory>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/command.h"
#include "sim/run/replay.h"

namespace mcusim::cli {
namespace {

struct Options {
  std::string trace, json;
  std::vector<std::string> exports;
  double clock_mhz = 0;
  bool allow_divergence = false, why = false;
};

void run(const Options& options) {
  ReplayOptions replay_options;
  if (!(options.clock_mhz >= 0)) throw UsageError("--clock-mhz: {} is not a clock", options.clock_mhz);
  if (options.clock_mhz > 0) replay_options.clock_mhz = options.clock_mhz;
  replay_options.allow_divergence = options.allow_divergence;
  for (const auto& text : options.exports) replay_options.exports.push_back(parse_export(text));
  const trace::TraceReader reader(options.trace);
  const ReplayResult result = replay(reader, options.trace, replay_options);
  if (!options.json.empty()) write_file(options.json, report::to_json(result.report));
  fmt::print("{}", report::to_text(result.report, {.why = options.why}));
}

}  // namespace

void add_replay(CLI::App& app, int*) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("replay", "Time a recorded trace again");
  command->add_option("trace", options->trace, "Trace from mcusim trace")->required();
  command->add_option("--clock-mhz", options->clock_mhz, "Another clock preset of the board")
      ->check(CLI::Range(1.0, 10000.0));
  command->add_flag("--allow-divergence", options->allow_divergence, "Time another clock though the guest observed time");
  command->add_option("--json", options->json, "Write the report");
  command->add_option("--export", options->exports, "FORMAT=FILE, may be repeated:\n" + export_formats_help());
  command->add_flag("--why", options->why, "Show where the cycles went, by cause");
  command->callback([options] { run(*options); });
}

}  // namespace mcusim::cli
