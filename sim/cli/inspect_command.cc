// SPDX-License-Identifier: MIT
// `mcusim inspect`: what a trace holds, in tables or as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/report/table.h"
#include "sim/run/inspection.h"

namespace mcusim::cli {
namespace {

using report::Align;
using report::Table;

struct Options {
  std::string trace;
  InspectRequest request;
  size_t top = 12;
  bool json = false;
};

std::string percent(uint64_t part, uint64_t whole) {
  return fmt::format("{:.1f}%", whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
}

std::string count(uint64_t value) { return fmt::format("{}", value); }

double per(uint64_t part, uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

// The first rows of a list, as a table.
template <typename Rows, typename Cells>
void show(std::vector<report::Column> columns, const Rows& rows, size_t top, Cells cells) {
  if (rows.empty()) return;
  Table table(std::move(columns));
  size_t shown = 0;
  for (const auto& row : rows)
    if (shown++ < top) table.add(cells(row));
  fmt::print("{}", table.text());
  if (rows.size() > top) fmt::print("... and {} more\n", rows.size() - top);
  fmt::print("\n");
}

void print_summary(const Inspection& in, const Options& options) {
  const report::Run& report = in.report;
  fmt::print("{} on {} ({})\n{} instructions, {} cycles, timing table {}{}; guest {} time\n", report.program,
             report.board, report.clock, report.instructions, report.cycles, report.timing_table,
             report.cycles == in.end.cycles ? "" : fmt::format(" (recorded {} with table {})", in.end.cycles,
                                                               in.end.timing_table),
             in.end.time_observed ? "observed" : "never observed");
  for (const auto& note : report.notes) fmt::print("{}\n", note);
  if (!options.request.layer.empty() || !options.request.symbol.empty())
    fmt::print("counted:{}{}: {} instructions, {} cycles ({})\n",
               options.request.layer.empty() ? "" : " layer " + options.request.layer,
               options.request.symbol.empty() ? "" : " code of " + options.request.symbol, in.instructions, in.cycles,
               percent(in.cycles, report.cycles));
  fmt::print("\n");
}

void print_text(const Inspection& in, const Options& options) {
  print_summary(in, options);
  show({{"cycles"}, {"share"}, {"instr"}, {"function", Align::left}}, in.functions, options.top, [&](const auto& f) {
    return std::vector{count(f.cycles), percent(f.cycles, in.cycles), count(f.instructions), f.name};
  });
  show({{"cycles"}, {"share"}, {"runs"}, {"cyc/run"}, {"instr"}, {"block"}, {"function", Align::left}}, in.blocks,
       options.top, [&](const auto& b) {
         return std::vector{count(b.cycles), percent(b.cycles, in.cycles), count(b.runs), fmt::format("{:.2f}", per(b.cycles, b.runs)),
                            count(b.instructions), fmt::format("{:08x}", b.address), b.function};
       });
  show({{"cycles"}, {"share"}, {"executed"}, {"address"}, {"instruction", Align::left}, {"function", Align::left}},
       in.addresses, options.top, [&](const auto& a) {
         return std::vector{count(a.cycles), percent(a.cycles, in.cycles), count(a.executed),
                            fmt::format("{:08x}", a.address), a.text, a.function};
       });
  show({{"executed"}, {"share"}, {"instruction", Align::left}}, in.mnemonics, options.top, [&](const auto& m) {
    return std::vector{count(m.second), percent(m.second, in.instructions), m.first};
  });
  // Misses over the accesses that went to the data cache; TCM has none.
  show({{"region", Align::left}, {"reads"}, {"read B"}, {"writes"}, {"written B"}, {"uncached"}, {"D misses"}, {"rate"},
        {"executed"}, {"I misses"}, {"per 1k"}},
       in.regions, SIZE_MAX, [&](const auto& row) {
         const auto& [name, r] = row;
         return std::vector{name, count(r.reads), count(r.read_bytes), count(r.writes), count(r.written_bytes),
                            count(r.uncached), count(r.data_fills), percent(r.data_fills, r.cached()),
                            count(r.instructions), count(r.instruction_fills),
                            fmt::format("{:.2f}", 1000 * per(r.instruction_fills, r.instructions))};
       });
  show({{"page", Align::left}, {"accesses"}, {"region", Align::left}}, in.pages, options.top, [](const auto& page) {
    return std::vector{fmt::format("0x{:08x}", page.address), count(page.accesses), page.region};
  });
}

void print_json(const Inspection& in, const Options& options) {
  using Json = nlohmann::ordered_json;
  Json out = {{"schema", "mcusim.inspect"}, {"schema_version", 1}, {"program", in.report.program}, {"board", in.report.board},
              {"timing_table", in.report.timing_table}, {"time_observed", in.end.time_observed},
              {"layer", options.request.layer}, {"symbol", options.request.symbol}, {"notes", in.report.notes},
              {"total", {{"instructions", in.report.instructions}, {"cycles", in.report.cycles}}},
              {"instructions", in.instructions}, {"cycles", in.cycles}, {"block_runs", in.block_runs}};
  auto add = [&](const char* key, const auto& rows, auto object) {
    out[key] = Json::array();
    for (const auto& row : rows) out[key].push_back(object(row));
  };
  add("functions", in.functions, [](const auto& f) {
    return Json{{"name", f.name}, {"address", f.address}, {"instructions", f.instructions}, {"cycles", f.cycles}};
  });
  add("blocks", in.blocks, [](const auto& b) {
    return Json{{"address", b.address}, {"instructions", b.instructions}, {"runs", b.runs}, {"cycles", b.cycles}, {"function", b.function}};
  });
  add("addresses", in.addresses, [](const auto& a) {
    return Json{{"address", a.address}, {"executed", a.executed}, {"cycles", a.cycles}, {"instruction", a.text}, {"function", a.function}};
  });
  for (const auto& [mnemonic, executed] : in.mnemonics) out["mnemonics"][mnemonic] = executed;
  for (const auto& [name, r] : in.regions)
    out["regions"][name] = {{"reads", r.reads}, {"writes", r.writes}, {"read_bytes", r.read_bytes},
                            {"written_bytes", r.written_bytes}, {"uncached", r.uncached}, {"data_misses", r.data_fills},
                            {"data_miss_rate", per(r.data_fills, r.cached())}, {"instructions", r.instructions},
                            {"instruction_misses", r.instruction_fills}};
  add("heat", in.pages, [](const auto& page) {
    return Json{{"page", page.address}, {"accesses", page.accesses}, {"region", page.region}};
  });
  fmt::print("{}\n", out.dump(1, ' ', false, Json::error_handler_t::replace));
}

void run(const Options& options) {
  const trace::TraceReader reader(options.trace);
  const Inspection inspection = inspect(reader, options.trace, options.request);
  if (options.json) print_json(inspection, options);
  else print_text(inspection, options);
}

}  // namespace

void add_inspect(CLI::App& app, int*) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("inspect", "Show what a trace holds: functions, blocks, instructions, accesses, misses, heat");
  command->add_option("trace", options->trace, "Trace from mcusim trace")->required();
  command->add_option("--layer", options->request.layer, "Count only inside this layer (name or operator index)");
  command->add_option("--symbol", options->request.symbol, "Count only this function's own code");
  command->add_option("--region", options->request.region, "List only this memory region and its pages");
  command->add_option("--top", options->top, "Rows per table")->capture_default_str();
  command->add_flag("--json", options->json, "Print everything as JSON instead of tables");
  command->footer("D misses are line fetches of loads and stores; their rate is over the accesses that went to the data\n"
                  "cache. I misses are line fetches of instructions, per 1000 executed from that region.");
  command->callback([options] { run(*options); });
}

}  // namespace mcusim::cli
