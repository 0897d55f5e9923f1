// SPDX-License-Identifier: MIT
#include "quant/cli/program.h"

#include <cstdio>
#include <exception>

#include "memmap/base/error.h"

namespace mcusim::net_cli {
namespace {

int parse_and_run(int argc, char** argv, const char* program, std::span<const Command> commands) {
  CLI::App app{"Import, quantise, plan, retrain and pack networks for mcusim"};
  app.name("mcusim");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(program) + " 0.1.0");
  int exit_code = 0;
  for (const auto& command : commands) command.add(app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace

int run_program(int argc, char** argv, const char* program, std::span<const Command> commands) {
  try {
    return parse_and_run(argc, argv, program, commands);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "mcusim: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mcusim: %s\n", error.what());
    return 1;
  }
}

}  // namespace mcusim::net_cli
