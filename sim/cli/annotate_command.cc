// SPDX-License-Identifier: MIT
// `mcusim annotate`: a function's disassembly with what each instruction cost.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/annotate_print.h"
#include "sim/cli/command.h"
#include "sim/cli/program_run.h"
#include "sim/image/tool.h"
#include "sim/run/replay.h"

namespace mcusim::cli {
namespace {

struct Options {
  RunOptions program;            // or the trace, as `program`
  std::string function, elf, emit_mca;
  std::vector<const CLI::Option*> program_options;
  uint32_t iterations = 3;
  bool loop_only = false, json = false;
};

// The longest stretch of most-executed instructions, as llvm-mca reads it.
std::string hot_block(const AnnotatedLines& lines) {
  uint64_t most = 0;
  for (const auto& [address, line] : lines) most = std::max(most, line.share.instructions);
  std::string out = "# LLVM-MCA-BEGIN hot\n";
  for (const auto& [address, line] : lines)
    if (line.share.instructions == most && line.text.find(" #0x") == std::string::npos) out += line.text + "\n";
    else if (line.share.instructions == most && line.text[0] != 'b') out += line.text + "\n";
  return out + "# LLVM-MCA-END\n";
}

bool is_trace(const std::string& path) {
  uint32_t magic = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(&magic), sizeof magic);
  return file && magic == trace::kTraceMagic;
}

// DWARF comes from the file that is named, else from the program itself.
SourceLines source_lines(const Options& options, bool recorded) {
  if (options.elf.empty()) return recorded ? SourceLines{} : SourceLines::of(read_file(options.program.program));
  SourceLines lines = SourceLines::of(read_file(options.elf));
  if (lines.empty()) throw Error("{}: no DWARF line table; build it with -g", options.elf);
  return lines;
}

int run(Options& options) {
  const TemporaryDirectory directory;
  const bool recorded = is_trace(options.program.program);
  std::string trace_path = options.program.program;
  if (recorded) {
    for (const auto* option : options.program_options)
      if (option->count() && !option->get_positional())
        throw UsageError("{}: {} is for programs, a trace has been run", trace_path, option->get_name());
  } else {
    trace_path = options.program.record = directory.file("annotate.mct");
    options.program.quiet = true;
    options.program.console_to_stderr = true;
    if (const int status = run_program(options.program); status != 0 && !std::filesystem::exists(trace_path)) return status;
  }
  const trace::TraceReader reader(trace_path);
  const Annotation annotation = annotate(reader, options.program.program, options.function, options.iterations);
  if (!options.emit_mca.empty()) {
    write_file(options.emit_mca, hot_block(annotation.lines));
    return 0;
  }
  const SourceLines sources = source_lines(options, recorded);
  AnnotateOptions shown{.loop_only = options.loop_only, .colour = isatty(STDOUT_FILENO) == 1};
  if (const size_t columns = screen_columns()) shown.width = columns;
  fmt::print("{}", options.json ? annotation_json(annotation, sources) : annotation_text(annotation, sources, shown));
  return 0;
}

}  // namespace

void add_annotate(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("annotate", "Show a function's disassembly with cycles, counts and stalls, and its hot loop cycle by cycle");
  add_program_options(*command, options->program);
  for (const auto* option : command->get_options())
    if (option->get_name() != "--help") options->program_options.push_back(option);
  command->get_option("program")->description("Trace from mcusim trace, or what mcusim run takes: it is run first");
  command->add_option("--function", options->function, "Function name or a part of it [the costliest]");
  command->add_flag("--loop", options->loop_only, "Show only the function's hottest loop");
  command->add_option("--iterations", options->iterations, "Iterations of the cycle timeline, 0: none")
      ->check(CLI::Range(0, 100))->capture_default_str();
  command->add_option("--elf", options->elf, "ELF with debug information, for source lines [the program itself]");
  command->add_flag("--json", options->json, "Print JSON instead of tables");
  command->add_option("--emit-mca", options->emit_mca, "Write the hot block in llvm-mca's input form instead");
  command->footer("Examples:\n  mcusim annotate net.bin --loop\n  mcusim annotate firmware.elf --function fir\n"
                  "  mcusim trace net.bin -o t.mct && mcusim annotate t.mct");
  command->callback([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace mcusim::cli
