// SPDX-License-Identifier: MIT
// The main function that the network programs share: parse, run one subcommand,
// turn an Error into one line on stderr and an exit status.
#pragma once

#include <span>

#include "quant/cli/command.h"

namespace mcusim::net_cli {

int run_program(int argc, char** argv, const char* program, std::span<const Command> commands);

}  // namespace mcusim::net_cli
