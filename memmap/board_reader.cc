// SPDX-License-Identifier: MIT
// Reads a board file. A Section wraps one TOML table and remembers which keys
// were asked for: what was never asked for is an unknown key, what is asked for
// and absent is a missing one, and both stop the reading by name and line.
#include <algorithm>
#include <cmath>
#include <set>

#include <toml++/toml.h>

#include "memmap/base/error.h"
#include "memmap/board.h"

namespace mcusim {
namespace {

class Section {
 public:
  Section(const toml::table& table, std::string place) : table_(table), place_(std::move(place)) {}

  const std::string& place() const { return place_; }
  bool has(const char* key) const { return table_.contains(key); }

  std::string text(const char* key) {
    if (const auto value = node(key).value_exact<std::string>()) return *value;
    throw Error("{}: {}: expected a string", place_, key);
  }

  uint64_t number(const char* key, uint64_t limit = UINT32_MAX) {
    const auto value = node(key).value_exact<int64_t>();
    if (!value || *value < 0 || static_cast<uint64_t>(*value) > limit)
      throw Error("{}: {}: expected a whole number from 0 to {}", place_, key, limit);
    return static_cast<uint64_t>(*value);
  }
  uint32_t word(const char* key) { return static_cast<uint32_t>(number(key)); }

  bool flag(const char* key) {
    if (const auto value = node(key).value_exact<bool>()) return *value;
    throw Error("{}: {}: expected true or false", place_, key);
  }

  double real(const char* key) {
    const auto value = node(key).value<double>();
    if (!value || !std::isfinite(*value)) throw Error("{}: {}: expected a number", place_, key);
    return *value;
  }

  std::string source() {
    auto text_of = text("source");
    if (text_of.empty()) throw Error("{}: source: is empty; cite one or write guess:", place_);
    return text_of;
  }

  Section section(const char* key) {
    if (const auto* table = node(key).as_table())
      return Section(*table, fmt::format("{}: {}", place_, key));
    throw Error("{}: {}: expected a table", place_, key);
  }

  std::vector<Section> sections(const char* key) {
    const auto* array = node(key).as_array();
    std::vector<Section> found;
    if (array)
      for (const auto& element : *array)
        if (const auto* table = element.as_table())
          found.emplace_back(*table, fmt::format("{}: {} {}", place_, key, found.size() + 1));
    if (!array || found.empty() || found.size() != array->size())
      throw Error("{}: {}: expected [[{}]] tables", place_, key, key);
    return found;
  }

  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& [key, value] : table_) all.emplace_back(key.str());
    return all;
  }

  std::vector<uint64_t> numbers(const char* key) {
    std::vector<uint64_t> found;
    if (const auto* array = node(key).as_array())
      for (const auto& element : *array)
        if (const auto value = element.value_exact<int64_t>(); value && *value > 0)
          found.push_back(static_cast<uint64_t>(*value));
    if (found.empty() || found.size() != node(key).as_array()->size())
      throw Error("{}: {}: expected a list of whole numbers", place_, key);
    return found;
  }

  void finish() const {
    for (const auto& [key, value] : table_)
      if (!asked_.contains(std::string(key.str())))
        throw Error("{}: line {}: unknown key {}", place_, key.source().begin.line,
                    std::string(key.str()));
  }

 private:
  const toml::node& node(const char* key) {
    asked_.insert(key);
    if (const auto* found = table_.get(key)) return *found;
    throw Error("{}: missing key {}", place_, key);
  }

  const toml::table& table_;
  std::string place_;
  std::set<std::string> asked_;
};

template <typename Kind>
struct KindName {
  const char* name;
  Kind kind;
};
constexpr KindName<RegionKind> kRegionKinds[] = {
    {"flash", RegionKind::flash},       {"itcm", RegionKind::itcm},
    {"dtcm", RegionKind::dtcm},         {"axi_sram", RegionKind::axi_sram},
    {"ahb_sram", RegionKind::ahb_sram}, {"peripheral", RegionKind::peripheral},
    {"system", RegionKind::system}};
constexpr KindName<CachePolicy> kCachePolicies[] = {{"none", CachePolicy::none},
                                                    {"write_through", CachePolicy::write_through},
                                                    {"write_back", CachePolicy::write_back}};

template <typename Kind, size_t n>
Kind pick(Section& section, const char* key, const KindName<Kind> (&choices)[n]) {
  const auto name = section.text(key);
  std::string known;
  for (const auto& choice : choices) {
    if (name == choice.name) return choice.kind;
    known += known.empty() ? "" : ", ";
    known += choice.name;
  }
  throw Error("{}: {}: unknown value {} (known: {})", section.place(), key, name, known);
}

Region read_region(Section section) {
  Region region;
  region.name = section.text("name");
  region.kind = pick(section, "kind", kRegionKinds);
  region.base = section.word("base");
  region.size_bytes = section.word("size_bytes");
  region.writable = !section.has("writable") || section.flag("writable");
  region.executable = !section.has("executable") || section.flag("executable");
  region.cache = pick(section, "cache", kCachePolicies);
  region.source = section.source();
  section.finish();
  if (region.size_bytes == 0 || region.size_bytes - 1 > UINT32_MAX - region.base)
    throw Error("{}: {}: {} bytes at 0x{:08x} do not fit the address space", section.place(),
                region.name, region.size_bytes, region.base);
  return region;
}

CacheGeometry read_cache(Section section) {
  CacheGeometry cache{section.word("size_bytes"), section.word("ways"),
                      section.word("line_bytes"), section.source()};
  section.finish();
  const uint64_t per_set = static_cast<uint64_t>(cache.ways) * cache.line_bytes;
  if (per_set == 0 || cache.size_bytes == 0 || cache.size_bytes % per_set != 0)
    throw Error("{}: {} bytes do not divide into {} ways of {}-byte lines", section.place(),
                cache.size_bytes, cache.ways, cache.line_bytes);
  return cache;
}

ClockPreset read_clock(Section section) {
  ClockPreset clock;
  clock.core_hz = section.number("core_hz", 4'000'000'000);
  clock.axi_hz = section.number("axi_hz", 4'000'000'000);
  clock.vos = section.text("vos");
  clock.flash_wait_states = section.word("flash_wait_states");
  clock.vos_field = section.word("vos_field");
  clock.flash_program_delay = section.word("flash_program_delay");
  clock.overdrive = section.flag("overdrive");
  clock.pll_m = section.word("pll_m");
  clock.pll_n = section.word("pll_n");
  clock.pll_p = section.word("pll_p");
  clock.source = section.source();
  section.finish();
  if (clock.core_hz == 0 || clock.axi_hz == 0 || clock.core_hz % clock.axi_hz != 0)
    throw Error("{}: AXI clock {} does not divide the core clock {}", section.place(), clock.axi_hz,
                clock.core_hz);
  return clock;
}

Guess read_guess(Section section) {
  Guess guess;
  guess.value = guess.low = guess.high = section.real("value");
  guess.source = section.source();
  guess.is_guess = guess.source.starts_with("guess:");
  if (guess.is_guess) {
    guess.low = section.real("low");
    guess.high = section.real("high");
  }
  section.finish();
  if (guess.low > guess.value || guess.value > guess.high)
    throw Error("{}: {} is outside its own range {} to {}", section.place(), guess.value, guess.low,
                guess.high);
  return guess;
}

void check_consistent(const Board& board) {
  for (size_t i = 0; i < board.regions.size(); ++i)
    for (size_t k = 0; k < i; ++k) {
      const Region &a = board.regions[k], &b = board.regions[i];
      if (a.name == b.name) throw Error("two regions are named {}", a.name);
      if (a.contains(b.base) || b.contains(a.base))
        throw Error("regions {} and {} overlap", a.name, b.name);
    }
  for (const auto* name : {&board.code_region, &board.arena_region, &board.scratch_region,
                           &board.fast_code_region}) {
    if (name->empty() && name == &board.fast_code_region) continue;
    const Region& region = board.region(*name);
    const bool code = name == &board.code_region || name == &board.fast_code_region;
    if (!region.is_memory() || (code && !region.executable) || (!code && !region.writable))
      throw Error("image: region {} cannot hold that", *name);
  }
  for (const auto& clock : board.clocks)
    if (clock.flash_wait_states < board.wait_states_for(clock.vos, clock.axi_hz))
      throw Error("clock {} Hz: {} wait states, but {} at AXI {} Hz needs {}",
                  clock.core_hz, clock.flash_wait_states, clock.vos, clock.axi_hz,
                  board.wait_states_for(clock.vos, clock.axi_hz));
}

}  // namespace

const std::vector<std::string>& timing_names() {
  static const std::vector<std::string> kNames = {
      "flash_fill_overhead_axi_cycles", "flash_line_beats_axi_cycles",
      "axi_sram_first_word_axi_cycles", "axi_sram_line_beats_axi_cycles",
      "axi_sram_write_axi_cycles", "ahb_sram_first_word_axi_cycles",
      "ahb_sram_line_beats_axi_cycles", "ahb_sram_write_axi_cycles",
      "peripheral_read_axi_cycles", "peripheral_write_axi_cycles", "ppb_read_core_cycles",
      "ppb_write_core_cycles", "linefill_buffers", "store_buffer_entries",
      "store_buffer_entry_bytes", "tcm_store_queue_entries", "tcm_subword_store_core_cycles",
      "btac_entries", "return_stack_entries", "exception_entry_core_cycles",
      "exception_exit_core_cycles"};
  return kNames;
}

Board parse_board(const std::string& toml, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(toml, name);
  } catch (const toml::parse_error& error) {
    throw Error("{}: line {}: {}", name, error.source().begin.line,
                std::string(error.description()));
  }
  Section top(table, name);
  Board board;
  board.name = top.text("name");
  board.description = top.text("description");
  board.startup = top.text("startup");
  board.initial_vtor = top.word("initial_vtor");

  Section oscillator = top.section("oscillator");
  board.hse_hz = oscillator.number("hse_hz", 100'000'000);
  (void)oscillator.source();
  oscillator.finish();
  board.flash_sector_bytes = top.word("flash_sector_bytes");

  Section image = top.section("image");
  board.code_region = image.text("code");
  board.fast_code_region = image.text("fast_code");
  board.arena_region = image.text("arena");
  board.scratch_region = image.text("scratch");
  board.stack_bytes = image.word("stack_bytes");
  image.finish();

  for (const auto& section : top.sections("region")) board.regions.push_back(read_region(section));
  board.icache = read_cache(top.section("icache"));
  board.dcache = read_cache(top.section("dcache"));

  Section waits = top.section("wait_states");
  board.wait_states_source = waits.source();
  for (const auto& vos : waits.keys()) {
    if (vos == "source") continue;
    uint32_t wait_states = 0;
    for (const uint64_t hz : waits.numbers(vos.c_str()))
      board.wait_states.push_back({vos, wait_states++, hz});
  }
  waits.finish();

  for (const auto& section : top.sections("clock")) board.clocks.push_back(read_clock(section));

  Section timing = top.section("timing");
  for (const auto& parameter : timing_names())
    board.timing.emplace_back(parameter, read_guess(timing.section(parameter.c_str())));
  timing.finish();
  top.finish();
  try {
    check_consistent(board);
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
  return board;
}

}  // namespace mcusim
