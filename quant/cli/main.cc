// SPDX-License-Identifier: MIT
// The `mcusim-net` program: importers, quantisers and planner; not linked with
// Unicorn. `mcusim <verb>` runs it for its verbs.
#include <cstdio>
#include <exception>

#include "memmap/base/error.h"
#include "quant/cli/commands.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Import, quantise, plan and pack networks for mcusim"};
  app.name("mcusim");
  app.require_subcommand(1);
  app.set_version_flag("--version", "mcusim-net 0.1.0");
  int exit_code = 0;
  for (const auto& command : mcusim::net_cli::commands()) command.add(app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const mcusim::UsageError& error) {
    std::fprintf(stderr, "mcusim: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mcusim: %s\n", error.what());
    return 1;
  }
}
