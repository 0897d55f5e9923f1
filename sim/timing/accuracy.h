// SPDX-License-Identifier: MIT
// The error band that every report prints; docs/accuracy.md has how it was found.
#pragma once

namespace mcusim {

inline constexpr const char* kErrorBand =
    "-3.3 to +0.9 % on 5 calibration rows in TCM; caches and flash not judged";

}  // namespace mcusim
