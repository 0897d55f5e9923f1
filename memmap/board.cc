// SPDX-License-Identifier: MIT
#include "memmap/board.h"

#include "memmap/base/error.h"

namespace mcusim {

const Region& Board::region(const std::string& region_name) const {
  for (const auto& candidate : regions)
    if (candidate.name == region_name) return candidate;
  throw Error("board {}: no region {}", name, region_name);
}

const Region* Board::find(uint32_t address, uint32_t bytes) const {
  for (const auto& candidate : regions)
    if (candidate.contains(address, bytes)) return &candidate;
  return nullptr;
}

Board load_board(const std::string& name_or_path) { throw Error("{}: unknown board", name_or_path); }

std::vector<std::string> board_names() { return {}; }

}  // namespace mcusim
