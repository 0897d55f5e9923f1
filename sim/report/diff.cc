// SPDX-License-Identifier: MIT
// Reading and comparing; printing is in diff_print.cc.
#include "sim/report/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "memmap/base/error.h"
#include "sim/report/numbers.h"
#include "sim/report/report.h"

namespace mcusim::report {
namespace {

using Figures = std::vector<std::pair<std::string, uint64_t>>;

Figures layer_cycles(const Run& run) {
  Figures out;
  for (const auto& layer : run.layers)
    out.emplace_back(layer.op_index < 0 ? layer.name : fmt::format("{} {}", layer.op_index, layer.name), layer.cycles);
  return out;
}

Figures memory_peaks(const Run& run) {
  Figures out;
  for (const auto& memory : run.memories)
    out.emplace_back(memory.region + " " + memory.use, memory.peak_bytes);
  return out;
}

bool exceeds(const Limit& limit, uint64_t base, uint64_t now) {
  const double growth = static_cast<double>(now) - static_cast<double>(base);
  return growth > (limit.percent ? static_cast<double>(base) * limit.amount / 100 : limit.amount);
}

std::string limit_text(const Limit& limit) {
  return fmt::format("+{}{}", limit.amount, limit.percent ? "%" : "");
}

Moved row(std::string kind, std::string name, uint64_t base, uint64_t now,
          const std::optional<Limit>& limit) {
  Moved out{std::move(kind), std::move(name), base, now, false, ""};
  if (limit) {
    out.over_limit = exceeds(*limit, base, now);
    out.limit = limit_text(*limit);
  }
  return out;
}

// Rows of both sides by key, in the order of the new report, then what vanished.
void add_rows(Diff& diff, const char* kind, const Figures& base, const Figures& now,
              const std::function<std::optional<Limit>(const std::string&)>& limit_of) {
  std::map<std::string, uint64_t> before(base.begin(), base.end());
  for (const auto& [name, value] : now) {
    const auto found = before.find(name);
    const uint64_t old = found == before.end() ? 0 : found->second;
    if (found != before.end()) before.erase(found);
    if (old != value) diff.rows.push_back(row(kind, name, old, value, limit_of(name)));
  }
  for (const auto& [name, value] : before) diff.rows.push_back(row(kind, name, value, 0, limit_of(name)));
}

}  // namespace

Limit parse_limit(const std::string& text, const std::string& option) {
  const char* start = text.c_str();
  char* end = nullptr;
  const double amount = std::strtod(start, &end);
  Limit out{amount, *end == '%'};
  if (end == start || *(end + out.percent) != '\0' || !(amount >= 0) || amount > 1e18)
    throw UsageError("{}: '{}' is not a limit; write units (400) or a percentage (+1%)", option, text);
  return out;
}

bool Diff::failed() const {
  return std::any_of(rows.begin(), rows.end(), [](const Moved& moved) { return moved.over_limit; });
}

Diff diff_reports(const std::string& base_json, const std::string& base_name,
                  const std::string& new_json, const std::string& new_name, const DiffOptions& options) {
  const Run base = from_json(base_json, base_name), now = from_json(new_json, new_name);
  if (base.board != now.board || base.clock != now.clock)
    throw Error("{} is of {} ({}), {} of {} ({}): not comparable", base_name, base.board, base.clock,
                new_name, now.board, now.clock);
  Diff diff;
  if (base.timing_table != now.timing_table) {
    const std::string what = fmt::format("timing tables differ: {} in {}, {} in {}", base.timing_table,
                                         base_name, now.timing_table, new_name);
    if (!options.allow_other_table) throw Error("{}; pass --allow-other-table to compare all the same", what);
    diff.notes.push_back(what);
  }
  if (title_of(base) != title_of(now))
    diff.notes.push_back(fmt::format("names differ: {} in {}, {} in {}", title_of(base), base_name, title_of(now), new_name));
  if (base.input != now.input)
    diff.notes.push_back(fmt::format("inputs differ: {} in {}, {} in {}", base.input, base_name, now.input, new_name));
  diff.rows.push_back(row("total", "cycles", base.cycles, now.cycles, options.max_cycles));
  diff.rows.push_back(row("total", "instructions", base.instructions, now.instructions, std::nullopt));
  diff.rows.push_back(row("total", "flash bytes", base.image_bytes, now.image_bytes, options.max_flash));
  add_rows(diff, "layer", layer_cycles(base), layer_cycles(now), [](const std::string&) { return std::nullopt; });
  add_rows(diff, "memory", memory_peaks(base), memory_peaks(now), [&](const std::string& name) -> std::optional<Limit> {
    if (name.starts_with("FLASH")) return std::nullopt;  // judged as the total above
    return options.max_ram;
  });
  if (options.exact)
    for (auto& moved : diff.rows)
      if (moved.base != moved.now) {
        moved.over_limit = true;
        moved.limit = "exact";
      }
  return diff;
}

}  // namespace mcusim::report
