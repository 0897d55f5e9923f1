// SPDX-License-Identifier: MIT
#include "sim/run/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace mcusim {

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || !text) return symbol;
  std::string out = text.get();
  for (size_t at; (at = out.find("mcusim::")) != std::string::npos;) out.erase(at, 8);
  return out;
}

}  // namespace mcusim
