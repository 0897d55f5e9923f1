// SPDX-License-Identifier: MIT
// A board as data: regions, buses, clocks, caches, core parameters, read from
// boards/NAME.toml. Every number in a board file cites its source or is marked
// `guess:` with a range; the reader refuses unknown and missing keys by name, so
// neither a typo nor an omission ever becomes a default.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mcusim {

enum class RegionKind { flash, itcm, dtcm, axi_sram, ahb_sram, peripheral, system };

// Data cacheability without an MPU (the default map of the Armv7-M ARM, B3.1).
enum class CachePolicy { none, write_through, write_back };

struct Region {
  std::string name;          // "FLASH", "AXI_SRAM", "DTCM", "ITCM", "SRAM1", ...
  RegionKind kind = RegionKind::ahb_sram;
  uint32_t base = 0;
  uint32_t size_bytes = 0;
  bool writable = true, executable = true;
  CachePolicy cache = CachePolicy::none;
  std::string source;

  bool contains(uint32_t address, uint32_t bytes = 1) const {
    return address >= base && bytes <= size_bytes && address - base <= size_bytes - bytes;
  }
  bool is_memory() const { return kind != RegionKind::peripheral && kind != RegionKind::system; }
};

// A number: used value, and for one that no source gives the range it may lie in
// (low == high == value when it is not a guess).
struct Guess {
  double value = 0, low = 0, high = 0;
  bool is_guess = false;
  std::string source;
};

struct CacheGeometry {
  uint32_t size_bytes = 0, ways = 0, line_bytes = 0;
  std::string source;

  uint32_t sets() const { return size_bytes / (ways * line_bytes); }
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
  // What start-up writes for that voltage range: the regulator's field, the
  // flash programming delay beside the wait states, overdrive on or off.
  uint32_t vos_field = 0, flash_program_delay = 0;
  bool overdrive = false;
  uint32_t pll_m = 0, pll_n = 0, pll_p = 0;  // source clock / m * n / p; all 0: PLL off
  std::string source;
};

struct Board {
  std::string name, description;
  std::vector<Region> regions;
  CacheGeometry icache, dcache;
  std::vector<WaitStateRow> wait_states;
  std::string wait_states_source;
  std::vector<ClockPreset> clocks;   // first is the default
  std::vector<std::pair<std::string, Guess>> timing;  // every name of timing_names(), once
  // Where a network image goes: region names. fast_code_region may be empty.
  std::string code_region, fast_code_region, arena_region, scratch_region;
  uint32_t stack_bytes = 0;          // reserved at the end of the scratch region
  uint32_t initial_vtor = 0;
  uint64_t hse_hz = 0;               // external oscillator of a common board with this part
  uint32_t flash_sector_bytes = 0;   // smallest erasable piece; 0: no flash controller is modelled
  std::string startup;               // "stm32h7", "mps2_an500": which start-up the image links

  const Region& region(const std::string& region_name) const;         // throws Error
  const Region* find(uint32_t address, uint32_t bytes = 1) const;     // nullptr when unmapped
  const Guess& timing_value(std::string_view timing_name) const;      // throws Error
  const ClockPreset& clock(uint64_t core_hz) const;                   // throws Error
  // Fewest wait states that flash needs at this AXI clock; throws Error when
  // the voltage range does not reach it.
  uint32_t wait_states_for(const std::string& vos, uint64_t axi_hz) const;
};

// The closed list of [timing] keys; *_axi_cycles count AXI clocks, *_core_cycles
// core clocks. A new parameter is one row here and one line in every board file.
const std::vector<std::string>& timing_names();

Board load_board(const std::string& name_or_path);  // throws Error listing the known boards
Board parse_board(const std::string& toml, const std::string& name);  // `name` for messages
std::vector<std::string> board_names();

}  // namespace mcusim
