// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace mcusim {

// A C++ symbol as its declaration reads, without our own namespace; others unchanged.
std::string demangled(const std::string& symbol);

}  // namespace mcusim
