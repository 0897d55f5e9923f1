// SPDX-License-Identifier: MIT
// What convert, pack and others do at the end: write the container and say so.
#pragma once

#include <string>

#include "quant/pack/net_file.h"

namespace mcusim::net_cli {

// Writes the container to `output` and prints notes and one line of sizes.
void store(const NetFile& file, const std::string& output);
void print_notes(const NetFile& file);

}  // namespace mcusim::net_cli
