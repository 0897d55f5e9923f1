// SPDX-License-Identifier: MIT
#include "sim/cli/annotate_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/report/numbers.h"
#include "sim/report/table.h"

namespace mcusim::cli {
namespace {

using report::Align;
using report::percent;
using report::share;
using report::Table;
using Json = nlohmann::ordered_json;

// Stall cycles per execution, largest first.
std::string stalls_of(const Profile::Share& part) {
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 1; i < kCauseCount; ++i)
    if (share(part.causes[i], part.instructions) >= 0.005) order.emplace_back(part.causes[i], i);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out;
  for (const auto& [cycles, cause] : order)
    out += fmt::format("{}{} {:.2f}", out.empty() ? "" : ", ", cause_name(static_cast<Cause>(cause)), share(cycles, part.instructions));
  return out;
}

// The slot an instruction issues from most of the time: 1 is beside the instruction above.
int slot_of(const Profile::Share& part) {
  return part.causes[static_cast<size_t>(Cause::issued)] * 2 < part.instructions &&
                 part.causes[static_cast<size_t>(Cause::bank_conflict)] * 2 < part.instructions
             ? 1 : 0;
}

bool in_loop(const Annotation& annotation, uint32_t address) {
  return annotation.loop && address >= annotation.loop->first && address <= annotation.loop->last;
}

// The arrow of the hot loop in the margin.
const char* margin(const Annotation& annotation, uint32_t address) {
  if (!in_loop(annotation, address)) return "";
  return address == annotation.loop->first ? ",->" : address == annotation.loop->last ? "'--" : "|";
}

std::string file_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

std::string lines_text(const Annotation& annotation, const SourceLines& sources, const AnnotateOptions& options) {
  std::vector<report::Column> columns = {{"share"}, {"count"}, {"cyc/exec"}, {"slot"}, {"", Align::left}, {"address"},
                                         {"instruction", Align::left}, {"stalls per execution", Align::left}};
  if (!sources.empty()) columns.push_back({"source", Align::left});
  Table table(columns);
  std::vector<double> shares;           // per printed row, for colour
  uint32_t expected = 0;
  SourceLine last;
  for (const auto& [address, line] : annotation.lines) {
    if (options.loop_only && annotation.loop && !in_loop(annotation, address)) continue;
    if (expected && address != expected) {
      std::vector<std::string> gap(columns.size());
      gap[6] = "...";
      table.add(gap);
      shares.push_back(0);
    }
    expected = address + line.bytes;
    const double part = 100 * share(line.share.cycles, annotation.function.cycles);
    std::vector<std::string> row = {part >= 0.05 ? fmt::format("{:.1f}%", part) : "", fmt::format("{}", line.share.instructions),
                                    fmt::format("{:.2f}", share(line.share.cycles, line.share.instructions)),
                                    fmt::format("{}", slot_of(line.share)), margin(annotation, address),
                                    fmt::format("{:08x}", address), line.text, stalls_of(line.share)};
    if (!sources.empty()) {
      const SourceLine source = sources.at(address);
      row.push_back(source.line && source != last ? fmt::format("{}:{}", file_name(source.file), source.line) : "");
      last = source;
    }
    table.add(row);
    shares.push_back(part);
  }
  const std::string plain = table.text();
  if (!options.colour) return plain;
  // As perf annotate: red from 5 % on, green from 0.5 %.
  std::string out;
  size_t at = plain.find('\n') + 1;
  out = plain.substr(0, at);
  for (double part : shares) {
    const size_t end = plain.find('\n', at);
    const std::string row = plain.substr(at, end - at);
    out += part >= 5 ? "\033[31m" + row + "\033[0m\n" : part >= 0.5 ? "\033[32m" + row + "\033[0m\n" : row + "\n";
    at = end + 1;
  }
  return out;
}

// A letter for each cause that may hold an instruction.
char letter(Cause cause) {
  static constexpr char kLetters[] = "=dlmvfsktiFXOwbuxxyZz";
  static_assert(sizeof kLetters == kCauseCount + 1);
  return kLetters[static_cast<size_t>(cause)];
}

// Cells of one instruction from its first waiting cycle on; `first` is that cycle.
std::string cells_of(const TimelineRow& row, uint64_t& first, CauseCycles& seen) {
  std::string waits, holds;
  for (const auto& wait : row.waits) {
    waits.append(wait.cycles, letter(wait.cause));
    seen[static_cast<size_t>(wait.cause)] += wait.cycles;
  }
  for (const auto& hold : row.holds) {
    holds.append(hold.cycles, letter(hold.cause));
    seen[static_cast<size_t>(hold.cause)] += hold.cycles;
  }
  if (waits.size() > row.issue_cycle) waits = waits.substr(waits.size() - row.issue_cycle);
  first = row.issue_cycle - waits.size();
  return waits + "E" + holds + std::string(row.result_cycles - 1, 'e') + "R";
}

// llvm-mca's look: a row per instruction, a column per cycle; the columns start again
// where a row would leave the screen.
std::string timeline_text(const Annotation& annotation, size_t screen_width) {
  constexpr size_t kLongestStall = 24;  // a longer one is cut: "FFF..FFF"
  CauseCycles seen{};
  size_t text_width = 0;
  for (const auto& row : annotation.timeline) text_width = std::max(text_width, row.text.size());
  text_width = std::min<size_t>(text_width, 34);
  const size_t left = text_width + 18;
  const uint64_t columns = std::max<size_t>(screen_width, left + 40) - left;
  std::string body;
  uint64_t end = 0;
  for (const auto& row : annotation.timeline) end = std::max(end, row.issue_cycle + row.result_cycles + 2);
  uint64_t origin = 0, cut = 0;         // first column; cycles cut out so far
  bool fresh = true;                    // print the ruler
  uint32_t iteration = 0;
  for (const auto& row : annotation.timeline) {
    uint64_t first = 0;
    std::string cells = cells_of(row, first, seen);
    bool is_cut = false;
    first -= std::min(first, cut);
    const uint64_t before = cut;
    if (cells.size() > kLongestStall + 8) {
      const size_t shortened = cells.size() - kLongestStall;
      cells = cells.substr(0, kLongestStall / 2 - 1) + ".." + cells.substr(cells.size() - kLongestStall / 2 + 1);
      cut += shortened;
      is_cut = true;
    }
    if (first + cells.size() > origin + columns) fresh = true;
    if (fresh) {
      origin = first;
      std::string tens, ones;
      for (uint64_t column = 0; column < std::min(columns, end - std::min(end, origin + before)); ++column) {
        const uint64_t cycle = origin + before + column;
        ones += static_cast<char>('0' + cycle % 10);
        const std::string mark = cycle % 10 == 0 ? fmt::format("{}", cycle) : "";
        if (tens.size() <= column) tens += std::string(column - tens.size(), ' ') + mark;
      }
      tens.resize(tens.find_last_not_of(' ') + 1);
      body += fmt::format("\n{:<{}}{}\n{:<{}}{}\n", "", left, tens, "iter  address", left, ones);
    } else if (row.iteration != iteration) {
      body += "\n";
    }
    iteration = row.iteration;
    std::string place(first - origin, '.');
    for (size_t i = 0; i < place.size(); ++i) place[i] = (origin + before + i) % 10 == 0 ? '.' : ' ';
    body += fmt::format("[{}]   {:08x}  {:<{}}  {}{}\n", row.iteration, row.address, report::clipped(row.text, text_width), text_width, place, cells);
    fresh = is_cut;
  }
  std::string legend = "E issue, e executing, R result ready for an ordinary operand";
  for (size_t i = 0; i < kCauseCount; ++i)
    if (seen[i]) legend += fmt::format(", {} {}", letter(static_cast<Cause>(i)), cause_name(static_cast<Cause>(i)));
  return body + "\n" + legend + "\n";
}

std::string loop_line(const Annotation& annotation) {
  const Loop& loop = *annotation.loop;
  return fmt::format("hot loop 0x{:08x} to 0x{:08x}: {} iterations, {} cycles ({} of the function), {:.2f} cycles per iteration\n",
                     loop.first, loop.last, loop.iterations, loop.cycles,
                     percent(loop.cycles, annotation.function.cycles), share(loop.cycles, loop.iterations));
}

Json causes_json(const CauseCycles& causes) {
  Json out = Json::object();
  for (size_t i = 0; i < kCauseCount; ++i)
    if (causes[i]) out[cause_name(static_cast<Cause>(i))] = causes[i];
  return out;
}

Json stretches_json(const std::vector<CauseStretch>& stretches) {
  Json out = Json::array();
  for (const auto& stretch : stretches) out.push_back({{"cause", cause_name(stretch.cause)}, {"cycles", stretch.cycles}});
  return out;
}

}  // namespace

std::string annotation_text(const Annotation& annotation, const SourceLines& sources, const AnnotateOptions& options) {
  const report::Function& function = annotation.function;
  std::string out = fmt::format("{}\n{} cycles ({} of the run), {} instructions, IPC {:.2f}\n", function.name,
                                function.cycles, percent(function.cycles, annotation.report.cycles),
                                function.instructions, share(function.instructions, function.cycles));
  if (annotation.loop) out += loop_line(annotation);
  out += "slot 1 issues in the cycle of the instruction above\n\n" + lines_text(annotation, sources, options);
  if (!annotation.timeline.empty()) out += timeline_text(annotation, options.width);
  return out;
}

std::string annotation_json(const Annotation& annotation, const SourceLines& sources) {
  const report::Function& function = annotation.function;
  Json out = {{"schema", "mcusim.annotate"}, {"schema_version", 1},
              {"function", {{"name", function.name}, {"address", function.address}, {"instructions", function.instructions},
                            {"cycles", function.cycles}, {"causes", causes_json(function.causes)}}},
              {"run_cycles", annotation.report.cycles}, {"timing_table", annotation.report.timing_table}};
  out["instructions"] = Json::array();
  for (const auto& [address, line] : annotation.lines) {
    const SourceLine source = sources.at(address);
    out["instructions"].push_back({{"address", address}, {"text", line.text}, {"count", line.share.instructions},
                                   {"cycles", line.share.cycles}, {"slot", slot_of(line.share)}, {"causes", causes_json(line.share.causes)},
                                   {"file", source.file}, {"line", source.line}});
  }
  if (annotation.loop)
    out["loop"] = {{"first", annotation.loop->first}, {"last", annotation.loop->last},
                   {"iterations", annotation.loop->iterations}, {"cycles", annotation.loop->cycles}};
  out["timeline"] = Json::array();
  for (const auto& row : annotation.timeline)
    out["timeline"].push_back({{"iteration", row.iteration}, {"address", row.address}, {"text", row.text}, {"issue_cycle", row.issue_cycle},
                               {"paired", row.is_paired}, {"result_cycles", row.result_cycles},
                               {"waits", stretches_json(row.waits)}, {"holds", stretches_json(row.holds)}});
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mcusim::cli
