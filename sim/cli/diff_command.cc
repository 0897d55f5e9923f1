// SPDX-License-Identifier: MIT
// `mcusim diff`: a regression gate over two run reports.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/command.h"
#include "sim/report/diff.h"

namespace mcusim::cli {
namespace {

struct Options {
  std::string base, now, max_cycles, max_ram, max_flash, format = "text", output;
  bool exact = false, allow_other_table = false;
};

using Printer = std::string (*)(const report::Diff&);
const std::map<std::string, Printer> kFormats = {{"text", report::diff_text},
                                                 {"md", report::diff_markdown},
                                                 {"junit", report::diff_junit},
                                                 {"json", report::diff_json}};

std::optional<report::Limit> limit(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  return report::parse_limit(text, option);
}

int run(const Options& options) {
  report::DiffOptions limits;
  limits.max_cycles = limit(options.max_cycles, "--max-cycles");
  limits.max_ram = limit(options.max_ram, "--max-ram");
  limits.max_flash = limit(options.max_flash, "--max-flash");
  limits.exact = options.exact;
  limits.allow_other_table = options.allow_other_table;
  const auto diff = report::diff_reports(read_text_file(options.base), options.base,
                                         read_text_file(options.now), options.now, limits);
  const std::string text = kFormats.at(options.format)(diff);
  if (options.output.empty()) fmt::print("{}", text);
  else write_file(options.output, text);
  return diff.failed() ? 1 : 0;
}

}  // namespace

void add_diff(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("diff", "Compare two run reports; exit 1 when a figure grew past its limit");
  command->add_option("base", options->base, "Report of the base, from run --json")->required();
  command->add_option("new", options->now, "Report to judge")->required();
  command->add_option("--max-cycles", options->max_cycles, "Cycles may grow by this: 400 or +1%");
  command->add_option("--max-ram", options->max_ram, "Each RAM peak may grow by this: 0 or +2%");
  command->add_option("--max-flash", options->max_flash, "Flash bytes may grow by this: 1024 or +2%");
  command->add_flag("--exact", options->exact, "Fail on any change, better or worse");
  std::vector<std::string> formats;
  for (const auto& [name, printer] : kFormats) formats.push_back(name);
  command->add_option("--format", options->format, "text, md, junit or json")->check(CLI::IsMember(formats));
  command->add_option("-o,--output", options->output, "Write to this file instead of the console");
  command->add_flag("--allow-other-table", options->allow_other_table,
                    "Compare though the reports were made with different timing tables");
  command->footer("Example: mcusim diff baseline.json new.json --max-cycles +1% --max-ram 0 --max-flash +2%");
  command->callback([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace mcusim::cli
