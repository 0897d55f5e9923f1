// SPDX-License-Identifier: MIT
// `mcusim trace`: a run, recorded for replay, inspection and annotation.
#include <memory>

#include "sim/cli/command.h"
#include "sim/cli/program_run.h"

namespace mcusim::cli {

void add_trace(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("trace", "Record a run as a trace file");
  add_program_options(*command, *options);
  command->add_option("-o,--trace", options->record, "The trace to write (.mct)")->required();
  command->add_option("--json", options->json, "Write the report as well");
  command->footer("Example: mcusim trace net.bin -o t.mct && mcusim inspect t.mct && mcusim annotate t.mct");
  command->callback([options, exit_code] { *exit_code = run_program(*options); });
}

}  // namespace mcusim::cli
