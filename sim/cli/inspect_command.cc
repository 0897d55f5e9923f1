// SPDX-License-Identifier: MIT
// `mcusim inspect`: what a trace holds, in tables.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "sim/cli/command.h"
#include "sim/report/table.h"
#include "sim/run/replay.h"
#include "sim/run/stream_stats.h"

namespace mcusim::cli {
namespace {

using report::Align;
using report::Table;

struct Options {
  std::string trace, layer, region;
  size_t top = 12;
  bool json = false;
};

std::optional<uint32_t> find_layer(const Recording& recording, const std::string& name, const std::string& trace) {
  if (name.empty()) return std::nullopt;
  for (const auto& layer : recording.facts.layers)
    if (layer.op_index >= 0 && (layer.name == name || fmt::format("{}", layer.op_index) == name))
      return static_cast<uint32_t>(layer.op_index);
  throw Error("{}: no layer '{}'; name one or give its operator index", trace, name);
}

// Largest first; ties by key, so that output is stable.
template <typename Key>
std::vector<std::pair<Key, uint64_t>> by_count(const std::map<Key, uint64_t>& counts) {
  std::vector<std::pair<Key, uint64_t>> out(counts.begin(), counts.end());
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

std::string percent(uint64_t part, uint64_t whole) {
  return fmt::format("{:.1f}%", whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
}

void print_json(const StreamStats& stats, const report::Run& report) {
  nlohmann::ordered_json out = {{"schema", "mcusim.inspect"}, {"schema_version", 1},
                                {"instructions", report.instructions}, {"cycles", report.cycles},
                                {"block_runs", stats.block_runs()}, {"mnemonics", stats.mnemonics()}};
  for (const auto& [name, counts] : stats.regions())
    out["regions"][name] = {{"reads", counts.reads}, {"writes", counts.writes},
                            {"read_bytes", counts.read_bytes}, {"written_bytes", counts.written_bytes}};
  out["heat"] = nlohmann::ordered_json::array();
  for (const auto& [page, accesses] : stats.heat()) out["heat"].push_back({{"page", page}, {"accesses", accesses}});
  fmt::print("{}\n", out.dump(1));
}

void print_text(const StreamStats& stats, const ReplayResult& result, const Board& board, const Options& options) {
  const report::Run& report = result.report;
  fmt::print("{} on {} ({})\n{} instructions, {} cycles, timing table {}{}; guest {} time\n\n", report.program,
             report.board, report.clock, report.instructions, report.cycles, report.timing_table,
             report.cycles == result.end.cycles ? "" : fmt::format(" (recorded {} with table {})", result.end.cycles,
                                                                   result.end.timing_table),
             result.end.time_observed ? "observed" : "never observed");

  Table functions({{"cycles"}, {"share"}, {"instr"}, {"function", Align::left}});
  for (size_t i = 0; i < std::min(options.top, report.functions.size()); ++i) {
    const auto& f = report.functions[i];
    functions.add({fmt::format("{}", f.cycles), percent(f.cycles, report.cycles), fmt::format("{}", f.instructions), f.name});
  }
  fmt::print("{}\n", functions.text());

  uint64_t executed = 0;
  for (const auto& [mnemonic, count] : stats.mnemonics()) executed += count;
  Table mix({{"executed"}, {"share"}, {"instruction", Align::left}});
  const auto mnemonics = by_count(stats.mnemonics());
  for (size_t i = 0; i < std::min(options.top, mnemonics.size()); ++i)
    mix.add({fmt::format("{}", mnemonics[i].second), percent(mnemonics[i].second, executed), mnemonics[i].first});
  fmt::print("{}\n", mix.text());

  Table regions({{"region", Align::left}, {"reads"}, {"read B"}, {"writes"}, {"written B"}});
  for (const auto& [name, counts] : stats.regions())
    if (options.region.empty() || options.region == name)
      regions.add({name, fmt::format("{}", counts.reads), fmt::format("{}", counts.read_bytes),
                   fmt::format("{}", counts.writes), fmt::format("{}", counts.written_bytes)});
  fmt::print("{}\n", regions.text());

  Table heat({{"page", Align::left}, {"accesses"}, {"region", Align::left}});
  size_t shown = 0;
  for (const auto& [page, accesses] : by_count(stats.heat())) {
    const Region* region = board.find(page);
    const std::string name = region ? region->name : "unmapped";
    if (!options.region.empty() && options.region != name) continue;
    if (shown++ == options.top) break;
    heat.add({fmt::format("0x{:08x}", page), fmt::format("{}", accesses), name});
  }
  fmt::print("{}", heat.text());
}

void run(const Options& options) {
  const trace::TraceReader reader(options.trace);
  const Recording recording = recording_from_json(reader.metadata(), options.trace);
  const Board board = load_board(recording.board);
  if (!options.region.empty()) board.region(options.region);
  StreamStats stats(board, find_layer(recording, options.layer, options.trace));
  ReplayOptions replay_options;
  replay_options.also = &stats;
  const ReplayResult result = replay(reader, options.trace, replay_options);
  if (options.json) print_json(stats, result.report);
  else print_text(stats, result, board, options);
}

}  // namespace

void add_inspect(CLI::App& app, int*) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("inspect", "Show what a trace holds: functions, instruction mix, accesses, heat");
  command->add_option("trace", options->trace, "Trace from mcusim trace")->required();
  command->add_option("--layer", options->layer, "Count only inside this layer (name or operator index)");
  command->add_option("--region", options->region, "Show only accesses to this memory region");
  command->add_option("--top", options->top, "Rows per table")->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON instead of tables");
  command->callback([options] { run(*options); });
}

}  // namespace mcusim::cli
