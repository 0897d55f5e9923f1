// SPDX-License-Identifier: MIT
// The subcommand table of `mcusim-net`, in the order of --help.
#include "quant/cli/commands.h"

namespace mcusim::net_cli {

void add_plan(CLI::App& app, int* exit_code);
void add_zoo(CLI::App& app, int* exit_code);

namespace {
constexpr Command kCommands[] = {
    {"plan", add_plan},
    {"zoo", add_zoo},
};
}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace mcusim::net_cli
