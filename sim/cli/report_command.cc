// SPDX-License-Identifier: MIT
// `mcusim report`: pages and pictures out of a run report.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/command.h"
#include "sim/report/page.h"

namespace mcusim::cli {
namespace {

struct Options {
  std::string report, html, svg_directory, markdown;
};

void run(const Options& options) {
  const auto report = report::from_json(read_text_file(options.report), options.report);
  if (!options.html.empty()) write_file(options.html, report::to_html(report));
  if (!options.markdown.empty()) write_file(options.markdown, report::to_markdown(report));
  if (!options.svg_directory.empty()) {
    std::error_code failure;
    std::filesystem::create_directories(options.svg_directory, failure);
    if (failure) throw Error("{}: cannot create directory: {}", options.svg_directory, failure.message());
    for (const auto& chart : report::charts(report))
      write_file(fmt::format("{}/{}.svg", options.svg_directory, chart.id), report::standalone_svg(chart));
  }
  if (options.html.empty() && options.markdown.empty() && options.svg_directory.empty())
    fmt::print("{}", report::to_text(report, {.why = true}));
}

}  // namespace

void add_report(CLI::App& app, int*) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("report", "Make a page, charts or a comment from a run report");
  command->add_option("report", options->report, "Report from run --json")->required();
  command->add_option("--html", options->html, "Write one self-contained HTML page");
  command->add_option("--svg", options->svg_directory, "Write the charts as SVG files into this directory");
  command->add_option("--md", options->markdown, "Write Markdown for a pull-request comment");
  command->footer("Without an output option the report is printed as text.");
  command->callback([options] { run(*options); });
}

}  // namespace mcusim::cli
