// SPDX-License-Identifier: MIT
// `mcusim annotate`: a function's disassembly with what each instruction cost.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/command.h"
#include "sim/report/table.h"
#include "sim/run/replay.h"
#include "sim/run/simulation.h"

namespace mcusim::cli {
namespace {

using report::Align;
using report::Table;

struct Options {
  std::string trace, function, emit_mca;
};

struct Line {
  std::string text;
  Profile::Share share;
};
using Lines = std::map<uint32_t, Line>;  // by address

// The function with this name, or a part of it; the costliest of several.
const report::Function& find_function(const report::Run& report, const std::string& name, const std::string& trace) {
  for (const auto& function : report.functions)
    if (function.name.find(name) != std::string::npos) return function;
  throw Error("{}: no function with '{}' in its name ran", trace, name);
}

std::string stalls(const Profile::Share& share) {
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 1; i < kCauseCount; ++i)
    if (share.causes[i]) order.emplace_back(share.causes[i], i);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out;
  for (const auto& [cycles, cause] : order)
    out += fmt::format("{}{} {:.2f}", out.empty() ? "" : ", ", cause_name(static_cast<Cause>(cause)),
                       static_cast<double>(cycles) / static_cast<double>(std::max<uint64_t>(1, share.instructions)));
  return out;
}

// An instruction that never starts a cycle of its own runs beside the one before it.
const char* slot(const Profile::Share& share) {
  return share.causes[static_cast<size_t>(Cause::issued)] * 2 < share.instructions ? "|" : " ";
}

void print(const Lines& lines, const report::Function& function, const report::Run& report) {
  fmt::print("{}\n{} cycles ({:.1f}% of the run), {} instructions; '|' issued beside the instruction above; "
             "stalls are cycles per execution\n\n",
             function.name, function.cycles,
             100.0 * static_cast<double>(function.cycles) / static_cast<double>(std::max<uint64_t>(1, report.cycles)),
             function.instructions);
  Table table({{"share"}, {"count"}, {"cyc/exec"}, {"address"}, {"", Align::left}, {"instruction", Align::left},
               {"stalls", Align::left}});
  for (const auto& [address, line] : lines) {
    const double per_execution = static_cast<double>(line.share.cycles) / static_cast<double>(std::max<uint64_t>(1, line.share.instructions));
    const double share = 100.0 * static_cast<double>(line.share.cycles) / static_cast<double>(std::max<uint64_t>(1, function.cycles));
    table.add({share >= 0.05 ? fmt::format("{:.1f}%", share) : "", fmt::format("{}", line.share.instructions),
               fmt::format("{:.2f}", per_execution), fmt::format("{:08x}", address), slot(line.share), line.text,
               stalls(line.share)});
  }
  fmt::print("{}", table.text());
}

// The longest stretch of most-executed instructions, as llvm-mca reads it.
std::string hot_block(const Lines& lines) {
  uint64_t most = 0;
  for (const auto& [address, line] : lines) most = std::max(most, line.share.instructions);
  std::string out = "# LLVM-MCA-BEGIN hot\n";
  for (const auto& [address, line] : lines)
    if (line.share.instructions == most && line.text.find(" #0x") == std::string::npos) out += line.text + "\n";
    else if (line.share.instructions == most && line.text[0] != 'b') out += line.text + "\n";
  return out + "# LLVM-MCA-END\n";
}

void run(const Options& options) {
  const trace::TraceReader reader(options.trace);
  Lines lines;
  const report::Function* function = nullptr;
  Program names;
  names.symbols = recording_from_json(reader.metadata(), options.trace).functions;
  Lines all;
  const ReplayResult result = replay(reader, options.trace, {}, [&](const Profile& profile) {
    profile.for_each_instruction([&](const Instruction& instruction, const Profile::Share& share) {
      Line& line = all[instruction.address];
      line.text = instruction.text;
      line.share.instructions += share.instructions;
      line.share.cycles += share.cycles;
      for (size_t i = 0; i < kCauseCount; ++i) line.share.causes[i] += share.causes[i];
    });
  });
  function = &find_function(result.report, options.function, options.trace);
  for (const auto& [address, line] : all)
    if (function_name(names, address).second == function->address) lines.emplace(address, line);
  if (!options.emit_mca.empty()) write_file(options.emit_mca, hot_block(lines));
  else print(lines, *function, result.report);
}

}  // namespace

void add_annotate(CLI::App& app, int*) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("annotate", "Show a function's disassembly with cycles, counts and stalls");
  command->add_option("trace", options->trace, "Trace from mcusim trace")->required();
  command->add_option("--function", options->function, "Function name or a part of it [the costliest]");
  command->add_option("--emit-mca", options->emit_mca, "Write the hot block in llvm-mca's input form instead");
  command->callback([options] { run(*options); });
}

}  // namespace mcusim::cli
