// SPDX-License-Identifier: MIT
#pragma once

namespace mcusim {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kEngine = "Unicorn 2.0.1 (Debian)";

}  // namespace mcusim
