// SPDX-License-Identifier: MIT
// The one error type of the host programs: a sentence that names the thing, the
// place and the value. Thrown anywhere, caught in main: one line, exit 1.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace mcusim {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence) : std::runtime_error(sentence) {}

  template <typename... Args>
  explicit Error(fmt::format_string<Args...> format, Args&&... args)
    requires(sizeof...(Args) > 0)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

// Wrong usage of the command line: exit 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// A broken law of ours, on in every build: not the user's fault.
inline void check(bool holds, const char* law) {
  if (!holds) throw std::logic_error(std::string("internal check failed: ") + law);
}

}  // namespace mcusim
