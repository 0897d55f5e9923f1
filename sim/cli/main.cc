// SPDX-License-Identifier: MIT
// The `mcusim` program: parses the command line, runs one subcommand, and is the
// one place that turns an Error into a line on stderr and an exit status.
#include <unistd.h>

#include <cstring>
#include <exception>
#include <initializer_list>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/commands.h"

namespace {

// Verbs of sibling programs, which are not linked with Unicorn (README, "Licence").
struct Sibling {
  const char* program;
  std::initializer_list<const char*> verbs;
  const char* when_absent;  // what the user can do
};
const Sibling kSiblings[] = {
    {"mcusim-net", {"convert", "eval", "info", "pack", "unpack", "plan", "quantize", "zoo",
                    "paper"}, ""},
    {"mcusim-train", {"train"},
     ": it is built where libtorch is found: install libtorch-dev (scripts/packages all), then "
     "run cmake and build again"},
};

const Sibling* sibling_for(const char* verb) {
  for (const auto& sibling : kSiblings)
    for (const char* known : sibling.verbs)
      if (std::strcmp(verb, known) == 0) return &sibling;
  return nullptr;
}

int run_sibling(const Sibling& sibling, char** argv) {
  const std::string program = mcusim::sibling_program(sibling.program);
  ::execv(program.c_str(), argv);
  throw mcusim::Error("{}: cannot run: {}{}", program, std::strerror(errno), sibling.when_absent);
}

int run(int argc, char** argv) {
  if (argc > 1)
    if (const Sibling* sibling = sibling_for(argv[1])) return run_sibling(*sibling, argv);

  CLI::App app{"Instruction-level simulator of Cortex-M7 microcontrollers for embedded machine learning"};
  app.name("mcusim");
  app.require_subcommand(1);
  app.set_version_flag("--version", "mcusim 0.1.0");
  app.footer("Network verbs (run by mcusim-net): convert eval info pack unpack plan quantize zoo paper\n"
             "Retraining (run by mcusim-train, where libtorch is installed): train");
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
