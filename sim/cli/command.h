// SPDX-License-Identifier: MIT
// A subcommand is one file and one row of the table in commands.cc.
#pragma once

#include <CLI/CLI.hpp>

namespace mcusim::cli {

// --caches on|off, for commands that link an image.
inline void add_caches_option(CLI::App& command, bool& caches) {
  command.add_option("--caches", caches, "Whether start-up enables the caches: on, off [on]")
      ->check(CLI::IsMember({"on", "off"}));
}

// Registers the subcommand on `app`: options, help, and a callback that does the
// work, throws Error, and sets *exit_code when the answer itself is "no".
struct Command {
  const char* name;
  void (*add)(CLI::App& app, int* exit_code);
};

}  // namespace mcusim::cli
