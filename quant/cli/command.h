// SPDX-License-Identifier: MIT
// A subcommand is one file and one row of the table in commands.cc.
#pragma once

#include <CLI/CLI.hpp>

namespace mcusim::net_cli {

// Registers the subcommand on `app`: options, help, and a callback that does the
// work, throws Error, and sets *exit_code when the answer itself is "no".
struct Command {
  const char* name;
  void (*add)(CLI::App& app, int* exit_code);
};

}  // namespace mcusim::net_cli
