// SPDX-License-Identifier: MIT
// The report for people: header, layers, totals, memories, prediction, functions.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sim/report/numbers.h"
#include "sim/report/table.h"

namespace mcusim::report {
namespace {

std::string number(uint64_t value) { return value ? fmt::format("{}", value) : "-"; }

std::string cycles_per_mac(uint64_t cycles, uint64_t macs) {
  return macs ? ratio(cycles, macs) : "-";
}

std::string layers_table(const Run& run, const TextOptions& options) {
  const bool timed = !run.timing_table.empty();
  const size_t shown_stalls = options.width == 0 || options.width >= 110 ? 3 : 1;
  std::vector<Column> columns = {{"id"}, {"name", Align::left}, {"op", Align::left, 3}, {"in/w/out"},
                                 {"output", Align::right, 5}, {"MACs", Align::right, 2}};
  if (timed) columns.insert(columns.end(), {{"instr", Align::right, 6}, {"cycles"}, {"cyc/MAC", Align::right, 1}, {"share"}, {"ms", Align::right, 4}});
  if (timed && options.why) columns.push_back({"stalls", Align::left});
  Table table(std::move(columns));
  for (const auto& layer : run.layers) {
    const bool inside = layer.op_index >= 0;
    std::vector<std::string> row = {
        inside ? fmt::format("{}", layer.layer_id) : "-",
        layer.name,
        layer.op,
        inside ? fmt::format("{}/{}/{}", layer.in_bits, number(layer.weight_bits), layer.out_bits) : "-",
        layer.shape,
        number(layer.macs)};
    if (timed)
      row.insert(row.end(), {fmt::format("{}", layer.instructions), fmt::format("{}", layer.cycles),
                             cycles_per_mac(layer.cycles, layer.macs), percent(layer.cycles, run.cycles),
                             fmt::format("{:.3f}", milliseconds(run, layer.cycles))});
    if (timed && options.why) row.push_back(stalls(layer.causes, layer.cycles, shown_stalls));
    table.add(std::move(row));
  }
  return table.text(options.width);
}

std::string functions_table(const Run& run, const TextOptions& options) {
  Table table({{"cycles"}, {"share"}, {"instr", Align::right, 2}, {"IPC", Align::right, 1}, {"function", Align::left},
               {"stalls", Align::left, 3}});
  for (size_t i = 0; i < std::min(options.functions, run.functions.size()); ++i) {
    const auto& f = run.functions[i];
    table.add({fmt::format("{}", f.cycles), percent(f.cycles, run.cycles),
               fmt::format("{}", f.instructions),
               ratio(f.instructions, f.cycles), clipped(short_function(f.name), 64),
               stalls(f.causes, f.cycles)});
  }
  return "\n" + table.text(options.width);
}

std::string causes_table(const Run& run) {
  Table table({{"cycles"}, {"share"}, {"cause", Align::left}});
  for (size_t i = 0; i < kCauseCount; ++i)
    if (run.causes[i])
      table.add({fmt::format("{}", run.causes[i]), percent(run.causes[i], run.cycles),
                 cause_name(static_cast<Cause>(i))});
  return "\n" + table.text();
}

std::string memories_table(const Run& run) {
  Table table({{"memory", Align::left}, {"use", Align::left}, {"planned B"}, {"peak B"}, {"limit B"},
               {"used"}});
  for (const auto& m : run.memories)
    table.add({m.region, m.use, number(m.planned_bytes), number(m.peak_bytes),
               number(m.limit_bytes), m.peak_bytes && m.limit_bytes ? percent(m.peak_bytes, m.limit_bytes) : "-"});
  return "\n" + table.text();
}

std::string totals(const Run& run, const TextOptions& options) {
  if (run.timing_table.empty()) return fmt::format("\n{} instructions (run without timing)\n", run.instructions);
  std::string out = fmt::format(
      "\n{}{} cycles = {:.3f} ms at {:.0f} MHz{}\n{} instructions (IPC {:.2f})",
      options.colour ? "\033[1m" : "", run.cycles, milliseconds(run, run.cycles),
      static_cast<double>(run.core_hz) / 1e6, options.colour ? "\033[0m" : "", run.instructions,
      share(run.instructions, run.cycles));
  if (run.macs)
    out += fmt::format(", {} MACs, {} cycles/MAC", run.macs, cycles_per_mac(run.cycles, run.macs));
  if (run.cycles_high)
    out += fmt::format("\nguessed constants span {} to {} cycles ({:+.2f} to {:+.2f} %)", run.cycles_low, run.cycles_high,
                       100 * (share(run.cycles_low, run.cycles) - 1), 100 * (share(run.cycles_high, run.cycles) - 1));
  return out + fmt::format("\ntiming table {} ({} guesses)\nerror band: {}\n", run.timing_table,
                           run.timing_guesses, run.error_band);
}

}  // namespace

std::string to_text(const Run& run, const TextOptions& options) {
  const bool timed = !run.timing_table.empty();
  std::string out = fmt::format("{} on {} ({})\n", run.network.empty() ? run.program : run.network,
                                run.board, run.clock);
  if (!run.input.empty()) out += fmt::format("input: {}\n", run.input);
  out += "\n";
  if (run.is_network) out += layers_table(run, options);
  out += totals(run, options);
  out += memories_table(run);
  if (timed && options.why) out += causes_table(run);
  if (timed && (options.why || !run.is_network)) out += functions_table(run, options);
  if (!run.top.empty()) {
    out += "\ntop: ";
    for (size_t i = 0; i < run.top.size(); ++i)
      out += fmt::format("{}#{} {} ({:.4g})", i ? ", " : "", run.top[i].index, run.top[i].stored,
                         run.top[i].value);
    out += "\n";
  }
  if (!run.verify.empty()) out += fmt::format("verify: {}\n", run.verify);
  for (const auto& note : run.notes) out += fmt::format("note: {}\n", note);
  if (run.end != "exited" || run.exit_code != 0)
    out += fmt::format("end: {}{}{}\n", run.end, run.message.empty() ? "" : ": ", run.message);
  return out;
}

}  // namespace mcusim::report
