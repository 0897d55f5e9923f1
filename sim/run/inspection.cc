// SPDX-License-Identifier: MIT
#include "sim/run/inspection.h"

#include <algorithm>

#include "memmap/base/error.h"
#include "sim/run/replay.h"
#include "sim/run/selection.h"
#include "sim/run/simulation.h"

namespace mcusim {
namespace {

// Largest first; equal ones stay in the order of their keys.
template <typename Rows, typename Size>
void sort_by(Rows& rows, Size size) {
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return size(a) > size(b); });
}

void add_code(Inspection& out, const Profile& profile, const CallTree::NameOf& name_of) {
  std::map<uint32_t, Inspection::Address> by_address;
  profile.for_each_block([&](const DecodedBlock& block, std::span<const Profile::Share> shares) {
    Inspection::Block row{block.address, static_cast<uint32_t>(shares.size()), shares.front().instructions, 0,
                          name_of(block.address).first};
    for (size_t i = 0; i < shares.size(); ++i) {
      auto& line = by_address[block.instructions[i].address];
      line.executed += shares[i].instructions;
      line.cycles += shares[i].cycles;
      line.text = block.instructions[i].text;
      row.cycles += shares[i].cycles;
    }
    out.block_runs += row.runs;
    if (row.runs) out.blocks.push_back(std::move(row));
  });
  for (auto& [address, line] : by_address) {
    if (line.executed == 0) continue;
    line.address = address;
    line.function = name_of(address).first;
    out.addresses.push_back(std::move(line));
  }
  sort_by(out.blocks, [](const auto& row) { return row.cycles; });
  sort_by(out.addresses, [](const auto& row) { return row.cycles; });
}

void add_memory(Inspection& out, const StreamStats& stats, const Board& board, const std::string& only) {
  for (const auto& [region, counts] : stats.regions())
    if (only.empty() || only == region) out.regions.emplace(region, counts);
  for (const auto& [page, accesses] : stats.heat()) {
    const Region* region = board.find(page);
    const std::string name = region ? region->name : "unmapped";
    if (only.empty() || only == name) out.pages.push_back({page, accesses, name});
  }
  sort_by(out.pages, [](const auto& row) { return row.accesses; });
}

}  // namespace

Inspection inspect(const trace::TraceReader& reader, const std::string& name, const InspectRequest& request) {
  Inspection out;
  out.recording = recording_from_json(reader.metadata(), name);
  const Board board = load_board(out.recording.board);
  if (!request.region.empty()) board.region(request.region);
  Program names;
  names.symbols = out.recording.functions;
  const CallTree::NameOf name_of = [&](uint32_t address) { return function_name(names, address); };
  StatsFilter filter;
  if (!request.layer.empty()) filter.layer = find_layer(out.recording.facts.layers, request.layer, name);
  if (!request.symbol.empty())
    filter.code = [&, wanted = find_function(names.symbols, request.symbol, name).address](uint32_t address) {
      return name_of(address).second == wanted;
    };
  StreamStats stats(board, filter);
  ReplayOptions options;
  options.also = &stats;
  options.observer = &stats;
  // The decoded blocks that the counts refer to live as long as the replay.
  ReplayResult result = replay(reader, name, options, [&](const Profile&) {
    out.instructions = stats.profile().total().instructions;
    out.cycles = stats.profile().total().cycles;
    out.functions = stats.profile().functions(name_of);
    for (const auto& counted : stats.mnemonics()) out.mnemonics.push_back(counted);
    sort_by(out.mnemonics, [](const auto& row) { return row.second; });
    add_code(out, stats.profile(), name_of);
    add_memory(out, stats, board, request.region);
  });
  out.report = std::move(result.report);
  out.end = std::move(result.end);
  return out;
}

}  // namespace mcusim
