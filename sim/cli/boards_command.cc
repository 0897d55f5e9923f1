// SPDX-License-Identifier: MIT
// `mcusim boards`: the boards that can be simulated, and their memories.
#include <fmt/format.h>

#include "memmap/board.h"
#include "sim/cli/command.h"

namespace mcusim::cli {

void add_boards(CLI::App& app, int*) {
  auto* command = app.add_subcommand("boards", "List the boards and their memory regions");
  command->callback([] {
    for (const auto& name : board_names()) {
      const Board board = load_board(name);
      fmt::print("{}  {}\n", board.name, board.description);
      for (const auto& region : board.regions)
        fmt::print("  {:<10} 0x{:08x} {:>10} B\n", region.name, region.base, region.size_bytes);
    }
  });
}

}  // namespace mcusim::cli
