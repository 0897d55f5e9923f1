// SPDX-License-Identifier: MIT
// Two run reports side by side: what moved, per layer and per memory, and whether
// it moved past a limit. The one comparison tool: users' CI and ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mcusim::report {

// How much a figure may grow: so many units, or a percentage of the base.
struct Limit {
  double amount = 0;
  bool percent = false;
};
// "+1%", "2.5%", "0", "+400". Throws UsageError naming `option`.
Limit parse_limit(const std::string& text, const std::string& option);

struct DiffOptions {
  std::optional<Limit> max_cycles, max_ram, max_flash;
  bool exact = false;              // any change at all is past the limit
  bool allow_other_table = false;
};

struct Moved {
  std::string kind;    // "total", "layer", "memory", "program"
  std::string name;    // "cycles", "L3 conv_pw_1", "AXI_SRAM arena", ...
  uint64_t base = 0, now = 0;
  bool over_limit = false;
  std::string limit;   // as given, for limited rows
};

struct Diff {
  std::vector<Moved> rows;      // totals always, others only when they moved
  std::vector<std::string> notes;
  bool failed() const;
};

// Parses and compares two reports (docs/report_schema.md). Throws Error for files
// that are not run reports, for another schema version, another board or clock, and
// another timing table unless allowed.
Diff diff_reports(const std::string& base_json, const std::string& base_name,
                  const std::string& new_json, const std::string& new_name,
                  const DiffOptions& options);

std::string diff_text(const Diff& diff);
std::string diff_markdown(const Diff& diff);
std::string diff_junit(const Diff& diff);
std::string diff_json(const Diff& diff);

}  // namespace mcusim::report
