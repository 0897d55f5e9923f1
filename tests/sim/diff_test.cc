// SPDX-License-Identifier: MIT
// The regression gate: limits, refusals, and every output form.
#include "sim/report/diff.h"

#include <gtest/gtest.h>

#include "memmap/base/error.h"
#include "sim/report/report.h"

namespace mcusim::report {
namespace {

std::string report_json(uint64_t cycles, uint64_t arena_bytes, const std::string& table = "abc") {
  Run run;
  run.board = "stm32h743";
  run.timing_table = table;
  run.cycles = cycles;
  run.image_bytes = 1000;
  Layer layer;
  layer.op_index = 0;
  layer.name = "conv & <pool>";
  layer.cycles = cycles;
  run.layers = {layer};
  run.memories = {{"AXI_SRAM", "arena", 0, arena_bytes, 524288}};
  return to_json(run);
}

Diff compare(const std::string& base, const std::string& now, const DiffOptions& options = {}) {
  return diff_reports(base, "base.json", now, "new.json", options);
}

std::string refusal(const std::string& base, const std::string& now) {
  try {
    compare(base, now);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Diff, LimitsArePercentagesOrUnits) {
  EXPECT_TRUE(parse_limit("+1%", "--x").percent);
  EXPECT_EQ(parse_limit("+1.5%", "--x").amount, 1.5);
  EXPECT_FALSE(parse_limit("400", "--x").percent);
  for (const char* bad : {"", "%", "1%%", "-1", "nan", "1 %", "abc", "1e30"})
    EXPECT_THROW(parse_limit(bad, "--x"), UsageError) << bad;
}

TEST(Diff, FailsJustPastTheLimitAndNotOnIt) {
  DiffOptions options;
  options.max_cycles = parse_limit("+1%", "--max-cycles");
  EXPECT_FALSE(compare(report_json(1000, 8), report_json(1010, 8), options).failed());
  EXPECT_TRUE(compare(report_json(1000, 8), report_json(1011, 8), options).failed());
  EXPECT_FALSE(compare(report_json(1000, 8), report_json(10, 8), options).failed());
  options = {};
  options.max_ram = parse_limit("0", "--max-ram");
  EXPECT_TRUE(compare(report_json(1000, 8), report_json(1000, 9), options).failed());
}

TEST(Diff, ExactFailsOnAnyChangeInEitherDirection) {
  DiffOptions options;
  options.exact = true;
  EXPECT_FALSE(compare(report_json(1000, 8), report_json(1000, 8), options).failed());
  EXPECT_TRUE(compare(report_json(1000, 8), report_json(999, 8), options).failed());
  EXPECT_TRUE(compare(report_json(1000, 8), report_json(1000, 7), options).failed());
}

TEST(Diff, ListsLayersAndMemoriesThatMoved) {
  const Diff diff = compare(report_json(1000, 8), report_json(1001, 9));
  ASSERT_EQ(diff.rows.size(), 5u);  // three totals, one layer, one memory
  EXPECT_EQ(diff.rows[3].name, "0 conv & <pool>");
  EXPECT_EQ(diff.rows[4].name, "AXI_SRAM arena");
  EXPECT_EQ(compare(report_json(1000, 8), report_json(1000, 8)).rows.size(), 3u);
}

TEST(Diff, RefusesWhatCannotBeCompared) {
  const std::string good = report_json(1, 1);
  EXPECT_NE(refusal(good, "{}").find("new.json: not a run report"), std::string::npos);
  EXPECT_NE(refusal("not json", good).find("base.json: not a run report"), std::string::npos);
  EXPECT_NE(refusal(good, report_json(1, 1, "def")).find("timing tables differ"), std::string::npos);
  std::string other = good;
  other.replace(other.find("\"schema_version\": 1"), 19, "\"schema_version\": 9");
  EXPECT_NE(refusal(good, other).find("schema version 9"), std::string::npos);
  DiffOptions allow;
  allow.allow_other_table = true;
  EXPECT_EQ(compare(good, report_json(1, 1, "def"), allow).notes.size(), 1u);
}

TEST(Diff, EscapesNamesInJunitAndMarkdown) {
  const Diff diff = compare(report_json(1000, 8), report_json(1001, 8));
  EXPECT_NE(diff_junit(diff).find("conv &#38; &#60;pool&#62;"), std::string::npos);
  EXPECT_NE(diff_text(diff).find("+1 (+0.10%)"), std::string::npos);
  EXPECT_TRUE(diff_text(diff).ends_with("2 figures moved, no limits were set\n")) << diff_text(diff);
  EXPECT_TRUE(diff_text(compare(report_json(1, 1), report_json(1, 1))).ends_with("nothing moved\n"));
  DiffOptions exact;
  exact.exact = true;
  EXPECT_TRUE(diff_text(compare(report_json(1000, 8), report_json(1001, 8), exact)).ends_with("FAILED: 2 of 2 limited figures are past their limit\n"));
  EXPECT_NE(diff_markdown(diff).find("| layer | 0 conv & &lt;pool> | 1,000 | 1,001 |"), std::string::npos);
}

}  // namespace
}  // namespace mcusim::report
