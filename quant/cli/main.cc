// SPDX-License-Identifier: MIT
// The `mcusim-net` program: importers, quantisers and planner; not linked with
// Unicorn. `mcusim <verb>` runs it for its verbs.
#include "quant/cli/commands.h"
#include "quant/cli/program.h"

int main(int argc, char** argv) {
  return mcusim::net_cli::run_program(argc, argv, "mcusim-net", mcusim::net_cli::commands());
}
