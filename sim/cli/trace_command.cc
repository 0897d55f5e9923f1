// SPDX-License-Identifier: MIT
// `mcusim trace`: a run or a part of it, recorded for replay, inspection and annotation.
#include <memory>

#include "sim/cli/command.h"
#include "sim/cli/program_run.h"

namespace mcusim::cli {

void add_trace(CLI::App& app, int* exit_code) {
  struct Options : RunOptions {
    std::string cycles, instructions;
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("trace", "Record a run, or a part of it, as a trace file");
  add_program_options(*command, *options);
  command->add_option("-o,--trace", options->record, "The trace to write (.mct)")->required();
  command->add_option("--json", options->json, "Write the report of the whole run as well");
  auto* part = command->add_option_group("Part of the run", "Record only this; it replays to the cycles it took here");
  part->add_option("--layer", options->window.layer, "One layer (name or operator index)");
  part->add_option("--symbol", options->window.symbol, "All calls of a function, with what it calls");
  part->add_option("--cycles", options->cycles, "FIRST:END, what starts in these cycles");
  part->add_option("--instructions", options->instructions, "FIRST:END, what starts with these instructions");
  part->require_option(0, 1);
  command->footer(
      "Examples: mcusim trace net.bin -o t.mct && mcusim inspect t.mct && mcusim annotate t.mct\n"
      "          mcusim trace net.bin -o layer.mct --layer 3 && mcusim replay layer.mct --why");
  command->callback([options, exit_code] {
    if (!options->cycles.empty()) options->window.cycles = parse_stretch(options->cycles, "--cycles");
    if (!options->instructions.empty()) options->window.instructions = parse_stretch(options->instructions, "--instructions");
    *exit_code = run_program(*options);
  });
}

}  // namespace mcusim::cli
