// SPDX-License-Identifier: MIT
// `mcusim boards`: the boards that can be simulated, or all numbers of one with
// their sources, guesses and their ranges marked.
#include <fmt/format.h>

#include <memory>

#include "memmap/board.h"
#include "sim/cli/command.h"

namespace mcusim::cli {
namespace {

void print_summary(const Board& board) {
  fmt::print("{}  {}\n", board.name, board.description);
  for (const auto& region : board.regions)
    fmt::print("  {:<12} 0x{:08x} {:>10} B\n", region.name, region.base, region.size_bytes);
  for (const auto& clock : board.clocks)
    fmt::print("  clock {} MHz, AXI {} MHz, {} flash wait states ({}){}\n", clock.core_hz / 1e6,
               clock.axi_hz / 1e6, clock.flash_wait_states, clock.vos,
               &clock == &board.clocks.front() ? ", default" : "");
}

void print_details(const Board& board) {
  print_summary(board);
  for (const auto& [name, cache] : {std::pair{"I-cache", board.icache}, {"D-cache", board.dcache}})
    fmt::print("  {} {} B, {} ways, {}-byte lines [{}]\n", name, cache.size_bytes, cache.ways,
               cache.line_bytes, cache.source);
  fmt::print("  network image: code {}, arena {}, scratch and {} B of stack {}\n",
             board.code_region, board.arena_region, board.stack_bytes, board.scratch_region);
  for (const auto& [name, value] : board.timing) {
    const auto range = value.is_guess ? fmt::format(" ({} to {})", value.low, value.high) : "";
    fmt::print("  {} = {}{} [{}]\n", name, value.value, range, value.source);
  }
}

}  // namespace

void add_boards(CLI::App& app, int*) {
  auto* command = app.add_subcommand("boards", "List the boards, or one with all its numbers");
  auto board = std::make_shared<std::string>();
  command->add_option("board", *board, "Board name or .toml file");
  command->callback([board] {
    if (!board->empty()) return print_details(load_board(*board));
    for (const auto& name : board_names()) print_summary(load_board(name));
  });
}

}  // namespace mcusim::cli
