// SPDX-License-Identifier: MIT
// The `mcusim` program: parses the command line, runs one subcommand, and is the
// one place that turns an Error into a line on stderr and an exit status.
#include <unistd.h>

#include <cstring>
#include <exception>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/commands.h"

namespace {

// Verbs of the sibling program, which is not linked with Unicorn (README, "Licence").
constexpr const char* kNetVerbs[] = {"convert", "eval", "info", "pack", "unpack", "plan",
                                     "quantize", "zoo", "paper"};

int run_sibling(char** argv) {
  const std::string program = mcusim::sibling_program("mcusim-net");
  ::execv(program.c_str(), argv);
  throw mcusim::Error("{}: cannot run: {}", program, std::strerror(errno));
}

int run(int argc, char** argv) {
  if (argc > 1)
    for (const char* verb : kNetVerbs)
      if (std::strcmp(argv[1], verb) == 0) return run_sibling(argv);

  CLI::App app{"Instruction-level simulator of Cortex-M7 microcontrollers for embedded machine learning"};
  app.name("mcusim");
  app.require_subcommand(1);
  app.set_version_flag("--version", "mcusim 0.1.0");
  app.footer("Network verbs (run by mcusim-net): convert eval info pack unpack plan quantize zoo paper");
  int exit_code = 0;
  for (const auto& command : mcusim::cli::commands()) command.add(app, &exit_code);
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
