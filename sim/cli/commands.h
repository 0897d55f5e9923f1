// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "sim/cli/command.h"

namespace mcusim::cli {

std::span<const Command> commands();

}  // namespace mcusim::cli
