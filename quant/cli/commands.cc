// SPDX-License-Identifier: MIT
// The subcommand table of `mcusim-net`, in the order of --help.
#include "quant/cli/commands.h"

namespace mcusim::net_cli {

std::span<const Command> commands() { return {}; }

}  // namespace mcusim::net_cli
