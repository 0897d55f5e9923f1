// SPDX-License-Identifier: MIT
// The human-readable twin of net.bin: a net.json beside .npy arrays
// (docs/net_json.md). Writing and reading back gives the same container bytes.
#pragma once

#include <string>

#include "kernels/host/int_net.h"

namespace mcusim {

// Writes `directory`/net.json and the arrays it names; makes the directory.
void write_net_json(const IntNet& net, const std::string& directory);

// Reads a net.json. Tensors without an arena offset are placed. Array files must
// lie in or below the folder of net.json.
IntNet read_net_json(const std::string& path);

}  // namespace mcusim
