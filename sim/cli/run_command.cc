// SPDX-License-Identifier: MIT
// `mcusim run`: a network or a firmware image on a board; outputs, cycles, peaks.
#include <memory>

#include "sim/cli/command.h"
#include "sim/cli/program_run.h"
#include "sim/run/exports.h"

namespace mcusim::cli {

void add_run(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Run a network or a firmware image on a simulated board");
  add_program_options(*command, *options);
  command->add_option("--output", options->output, "Write the outputs of all samples as .npy");
  command->add_option("--json", options->json, "Write the report (docs/report_schema.md)");
  command->add_option("--export", options->exports, "FORMAT=FILE, may be repeated:\n" + export_formats_help());
  command->add_flag("--why", options->why, "Show where the cycles went, by cause");
  command->add_flag("--verify", options->verify, "Compare every layer with the naive twin");
  command->add_flag("--fast", options->fast, "No timing, no strict checks, no high-water marks");
  command->footer("Examples:\n  mcusim run net.bin --input test.npz:x[0:4] --output y.npy --verify\n"
                  "  mcusim run net.bin --why --json run.json\n  mcusim run firmware.elf --until-text done");
  command->callback([options, exit_code] { *exit_code = run_program(*options); });
}

}  // namespace mcusim::cli
