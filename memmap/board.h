// SPDX-License-Identifier: MIT
// A board as data: regions, buses, clocks, caches, core parameters, read from
// boards/NAME.toml. Every number in a board file cites its source or is marked
// `guess:`; the reader refuses unknown keys, so a typo never becomes a default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim {

enum class RegionKind { flash, itcm, dtcm, axi_sram, ahb_sram, peripheral, system };

struct Region {
  std::string name;          // "FLASH", "AXI_SRAM", "DTCM", "ITCM", "SRAM1", ...
  RegionKind kind = RegionKind::ahb_sram;
  uint32_t base = 0;
  uint32_t size_bytes = 0;
  bool writable = true, executable = true;
  std::string source;

  bool contains(uint32_t address, uint32_t bytes = 1) const {
    return address >= base && bytes <= size_bytes && address - base <= size_bytes - bytes;
  }
};

// A number that no source gives: used value and the range it may lie in.
struct Guess {
  double value = 0, low = 0, high = 0;
  bool is_guess = false;
  std::string source;
};

struct CacheGeometry {
  uint32_t size_bytes = 0, ways = 0, line_bytes = 0;
};

// One row of the flash wait-state table: up to max_axi_hz at voltage range `vos`.
struct WaitStateRow {
  std::string vos;
  uint32_t wait_states = 0;
  uint64_t max_axi_hz = 0;
};

struct ClockPreset {
  uint64_t core_hz = 0;
  uint64_t axi_hz = 0;
  std::string vos;
  uint32_t flash_wait_states = 0;
};

struct Board {
  std::string name, description;
  std::vector<Region> regions;
  CacheGeometry icache, dcache;
  std::vector<WaitStateRow> wait_states;
  std::vector<ClockPreset> clocks;   // first is the default
  std::vector<std::pair<std::string, Guess>> timing;  // named bus and fill parameters
  // Where a network image goes: region names.
  std::string code_region, arena_region, scratch_region;
  uint32_t initial_vtor = 0;
  std::string startup;               // "stm32h7", "mps2_an500": which start-up the image links

  const Region& region(const std::string& region_name) const;         // throws Error
  const Region* find(uint32_t address, uint32_t bytes = 1) const;     // nullptr when unmapped
};

Board load_board(const std::string& name_or_path);  // throws Error listing the known boards
std::vector<std::string> board_names();

}  // namespace mcusim
