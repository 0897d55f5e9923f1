// SPDX-License-Identifier: MIT
// The `mcusim-train` program: what needs libtorch. An optional component, so that
// nobody installs libtorch in order to simulate.
#include "quant/cli/program.h"

namespace mcusim::net_cli {
void add_train(CLI::App& app, int* exit_code);
}

int main(int argc, char** argv) {
  using namespace mcusim::net_cli;
  constexpr Command kCommands[] = {{"train", add_train}};
  return run_program(argc, argv, "mcusim-train", kCommands);
}
