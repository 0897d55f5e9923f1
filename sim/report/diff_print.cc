// SPDX-License-Identifier: MIT
// A comparison as text, Markdown (for a pull-request comment), JUnit XML and JSON.
#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "sim/report/diff.h"
#include "sim/report/numbers.h"
#include "sim/report/table.h"

namespace mcusim::report {
namespace {

std::string change(const Moved& moved) {
  const int64_t delta = static_cast<int64_t>(moved.now) - static_cast<int64_t>(moved.base);
  if (delta == 0) return "0";
  if (moved.base == 0) return fmt::format("{:+}", delta);
  return fmt::format("{:+} ({:+.2f}%)", delta, 100.0 * static_cast<double>(delta) / static_cast<double>(moved.base));
}

std::string verdict(const Moved& moved) {
  if (moved.limit.empty()) return "";
  return fmt::format("{} (limit {})", moved.over_limit ? "OVER" : "ok", moved.limit);
}

// One line that ends it for people.
std::string summary(const Diff& diff) {
  size_t over = 0, limited = 0, moved = 0;
  for (const auto& row : diff.rows) {
    over += row.over_limit;
    limited += !row.limit.empty();
    moved += row.base != row.now;
  }
  if (over) return fmt::format("FAILED: {} of {} limited figures are past their limit", over, limited);
  if (moved == 0) return "nothing moved";
  return limited ? "ok: within all limits" : fmt::format("{} figures moved, no limits were set", moved);
}

std::string escape(const std::string& text, const char* special, const std::function<std::string(char)>& by) {
  std::string out;
  for (char c : text) {
    if (std::string(special).find(c) != std::string::npos) out += by(c);
    else out += c;
  }
  return out;
}

std::string xml(const std::string& text) {
  return escape(text, "&<>\"", [](char c) { return fmt::format("&#{};", int{c}); });
}

std::string cell(const std::string& text) {
  return escape(text, "|\\`*_<[]#~", [](char c) { return c == '<' ? std::string("&lt;") : fmt::format("\\{}", c); });
}

}  // namespace

std::string diff_text(const Diff& diff) {
  Table table({{"kind", Align::left}, {"what", Align::left}, {"base"}, {"new"}, {"change"}, {"verdict", Align::left}});
  for (const auto& moved : diff.rows)
    table.add({moved.kind, moved.name, fmt::format("{}", moved.base), fmt::format("{}", moved.now),
               change(moved), verdict(moved)});
  std::string out = table.text();
  for (const auto& note : diff.notes) out += fmt::format("note: {}\n", note);
  return out + "\n" + summary(diff) + "\n";
}

std::string diff_markdown(const Diff& diff) {
  std::string out = fmt::format("### {} mcusim: {}\n\n| kind | what | base | new | change | verdict |\n|---|---|---:|---:|---:|---|\n",
                                diff.failed() ? ":x:" : ":white_check_mark:", summary(diff));
  for (const auto& moved : diff.rows)
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", moved.kind, cell(moved.name), grouped(moved.base),
                       grouped(moved.now), change(moved), verdict(moved));
  for (const auto& note : diff.notes) out += fmt::format("\nNote: {}\n", cell(note));
  return out;
}

std::string diff_junit(const Diff& diff) {
  size_t failures = 0;
  std::string cases;
  for (const auto& moved : diff.rows) {
    cases += fmt::format("  <testcase classname=\"mcusim.{}\" name=\"{}\">", xml(moved.kind), xml(moved.name));
    if (moved.over_limit) {
      ++failures;
      cases += fmt::format("<failure message=\"{} to {}: {}, limit {}\"/>", moved.base, moved.now,
                           xml(change(moved)), xml(moved.limit));
    }
    cases += "</testcase>\n";
  }
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"mcusim diff\" tests=\"{}\" "
                     "failures=\"{}\">\n{}</testsuite>\n",
                     diff.rows.size(), failures, cases);
}

std::string diff_json(const Diff& diff) {
  nlohmann::ordered_json out = {{"schema", "mcusim.diff"}, {"schema_version", 1}, {"failed", diff.failed()}};
  out["rows"] = nlohmann::ordered_json::array();
  for (const auto& moved : diff.rows)
    out["rows"].push_back({{"kind", moved.kind}, {"name", moved.name}, {"base", moved.base},
                           {"new", moved.now}, {"limit", moved.limit}, {"over_limit", moved.over_limit}});
  out["notes"] = diff.notes;
  return out.dump(1) + "\n";
}

}  // namespace mcusim::report
