// SPDX-License-Identifier: MIT
// A run as a pull-request comment: totals in sight, tables folded.
#include <fmt/format.h>

#include "sim/report/numbers.h"
#include "sim/report/page.h"

namespace mcusim::report {
namespace {

// Characters that Markdown or HTML would read as their own.
std::string plain(const std::string& words) {
  std::string out;
  for (char c : words) {
    if (c == '<') out += "&lt;";
    else if (c == '\n') out += ' ';
    else out += std::string("\\`*_{}[]#|~").find(c) != std::string::npos ? std::string{'\\', c} : std::string{c};
  }
  return out;
}

std::string folded(const std::string& title, const std::string& body) {
  return fmt::format("\n<details><summary>{}</summary>\n\n{}\n</details>\n", title, body);
}

std::string layers(const Run& run) {
  std::string out = "| id | layer | op | in/w/out | MACs | cycles | share | cycles/MAC | largest stalls |\n"
                    "|---:|---|---|---|---:|---:|---:|---:|---|\n";
  for (const auto& l : run.layers)
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", l.op_index < 0 ? "" : fmt::format("{}", l.layer_id),
                       plain(l.name), plain(l.op), widths(l), l.macs ? grouped(l.macs) : "", grouped(l.cycles),
                       percent(l.cycles, run.cycles), ratio(l.cycles, l.macs), stalls(l.causes, l.cycles));
  return out;
}

std::string functions(const Run& run) {
  constexpr size_t kMost = 10;
  std::string out = "| function | cycles | share | IPC | largest stalls |\n|---|---:|---:|---:|---|\n";
  for (size_t i = 0; i < run.functions.size() && i < kMost; ++i) {
    const auto& f = run.functions[i];
    out += fmt::format("| {} | {} | {} | {} | {} |\n", plain(short_function(f.name)), grouped(f.cycles),
                       percent(f.cycles, run.cycles), ratio(f.instructions, f.cycles), stalls(f.causes, f.cycles));
  }
  return out;
}

}  // namespace

std::string to_markdown(const Run& run) {
  std::string out = fmt::format("### {} on {}\n\n**{} cycles = {:.3f} ms** ({}), {} instructions", plain(title_of(run)),
                                plain(run.board), grouped(run.cycles), milliseconds(run, run.cycles), plain(run.clock),
                                grouped(run.instructions));
  if (run.macs) out += fmt::format(", {} cycles/MAC", ratio(run.cycles, run.macs));
  out += "\n";
  if (!ended_well(run)) out += fmt::format("\n**Ended: {} {}**\n", plain(run.end), plain(run.message));
  if (!run.verify.empty()) out += fmt::format("\nVerify: {}\n", plain(run.verify));
  out += "\n| memory | use | peak B | limit B | used |\n|---|---|---:|---:|---:|\n";
  for (const auto& m : run.memories)
    out += fmt::format("| {} | {} | {} | {} | {} |\n", plain(m.region), plain(m.use), grouped(m.peak_bytes),
                       m.limit_bytes ? grouped(m.limit_bytes) : "", m.limit_bytes ? percent(m.peak_bytes, m.limit_bytes) : "");
  if (!run.layers.empty()) out += folded("Layers", layers(run));
  if (!run.functions.empty()) out += folded("Functions", functions(run));
  return out + fmt::format("\n<sub>Simulated; timing table {}, error band: {}</sub>\n", run.timing_table, plain(run.error_band));
}

}  // namespace mcusim::report
