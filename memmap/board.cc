// SPDX-License-Identifier: MIT
// What a loaded board answers, and where board files are found. Parsing is in
// board_reader.cc; every look-up that finds nothing throws and names its thing.
#include "memmap/board.h"

#include <algorithm>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim {
namespace fs = std::filesystem;

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

const Guess& Board::timing_value(std::string_view timing_name) const {
  for (const auto& [candidate, value] : timing)
    if (candidate == timing_name) return value;
  throw Error("board {}: no timing parameter {}", name, timing_name);
}

const ClockPreset& Board::clock(uint64_t core_hz) const {
  std::string known;
  for (const auto& preset : clocks) {
    if (preset.core_hz == core_hz) return preset;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", preset.core_hz);
  }
  throw Error("board {}: no clock preset of {} Hz (has {})", name, core_hz, known);
}

uint32_t Board::wait_states_for(const std::string& vos, uint64_t axi_hz) const {
  const WaitStateRow* best = nullptr;
  bool known = false;
  for (const auto& row : wait_states) {
    if (row.vos != vos) continue;
    known = true;
    if (axi_hz <= row.max_axi_hz && (!best || row.wait_states < best->wait_states)) best = &row;
  }
  if (!known) throw Error("board {}: no voltage range {}", name, vos);
  if (!best) throw Error("board {}: AXI clock {} Hz is beyond {}", name, axi_hz, vos);
  return best->wait_states;
}

std::vector<std::string> board_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(data_directory()) / "boards"))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Board load_board(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml"))
    return parse_board(read_text_file(name_or_path), name_or_path);
  const auto names = board_names();
  if (std::find(names.begin(), names.end(), name_or_path) == names.end())
    throw Error("{}: unknown board (known: {})", name_or_path, fmt::join(names, ", "));
  const auto path = fs::path(data_directory()) / "boards" / (name_or_path + ".toml");
  return parse_board(read_text_file(path.string()), path.string());
}

}  // namespace mcusim
