// SPDX-License-Identifier: MIT
// Look and behaviour of the HTML page, as text to put into it.
#pragma once

namespace mcusim::report {

extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace mcusim::report
