// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "quant/cli/command.h"

namespace mcusim::net_cli {

std::span<const Command> commands();

}  // namespace mcusim::net_cli
