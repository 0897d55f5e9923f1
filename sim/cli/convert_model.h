// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim::cli {

// The container that `mcusim-net convert` makes of a model file; what it reports
// goes to stderr. Throws Error when it fails.
std::vector<uint8_t> convert_model(const std::string& path);

}  // namespace mcusim::cli
