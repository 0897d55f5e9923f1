// SPDX-License-Identifier: MIT
#include "quant/cli/patch_search.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/process.h"
#include "quant/cli/calibration.h"
#include "quant/patch/search.h"

namespace mcusim::net_cli {
namespace {

constexpr int kMostRuns = 6;

// Cycles per operator of one run on a made input: no kernel branches on values.
std::vector<uint64_t> simulate(const IntNet& net, const std::string& board) {
  const TemporaryDirectory folder;
  const std::string file = folder.file("net.bin"), report = folder.file("run.json");
  write_file(file, encode(net));
  run_tool({sibling_program("mcusim"), "run", file, "--board", board, "--seed", "1", "--json", report,
            "--quiet"},
           folder.path());
  std::vector<uint64_t> cycles(net.ops.size());
  try {
    const auto root = nlohmann::json::parse(read_text_file(report));
    for (const auto& row : root.at("layers")) {
      const int index = row.at("op_index").get<int>();
      if (index >= 0) cycles.at(static_cast<size_t>(index)) = row.at("cycles").get<uint64_t>();
    }
  } catch (const std::exception& error) {
    throw Error("mcusim run: not a report: {}", error.what());
  }
  return cycles;
}

}  // namespace

patch::Choice search_patch(const IntNet& net, uint64_t ram_bytes, const std::string& board) {
  size_t runs = 0;
  const auto found = patch::search(
      net, ram_bytes,
      [&](const IntNet& tiles) {
        show_progress("simulating candidates", runs++, kMostRuns);
        return simulate(tiles, board);
      },
      kMostRuns);
  show_progress("simulating candidates", kMostRuns, kMostRuns);
  fmt::print("{} of {} stages of tiles fit {} B; simulated on {}:\n", found.candidates.size(),
             found.tried, ram_bytes, board);
  fmt::print("{:>10} {:>10} {:>13} {:>9} {:>13}\n", "tiles", "arena B", "MACs", "", "cycles");
  for (const auto& candidate : found.candidates) {
    if (!candidate.cycles) break;
    fmt::print("{:>10} {:>10} {:>13} {:>+8.1f}% {:>13}\n",
               patch::format_choice(candidate.cost.choice), candidate.cost.arena_bytes,
               candidate.cost.total_macs, 100 * candidate.cost.total_overhead(), *candidate.cycles);
  }
  const patch::Choice best = found.candidates[0].cost.choice;
  if (best.rows * best.columns == 1) fmt::print("the network runs fastest without tiles\n");
  return best;
}

}  // namespace mcusim::net_cli
