// SPDX-License-Identifier: MIT
#pragma once

namespace mcusim {

// The error band that every report prints; docs/accuracy.md has how it was found.
inline constexpr const char* kErrorBand = "not judged yet";

}  // namespace mcusim
