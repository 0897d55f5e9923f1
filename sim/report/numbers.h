// SPDX-License-Identifier: MIT
// Figures and names as people read them, the same in text, page, charts and comments.
#pragma once

#include <cstdint>
#include <string>

#include "sim/report/report.h"

namespace mcusim::report {

double share(uint64_t part, uint64_t whole);             // 0 of nothing
std::string percent(uint64_t part, uint64_t whole);      // "12.3%"
std::string ratio(uint64_t part, uint64_t whole);        // "1.23", "" of nothing
std::string grouped(uint64_t value);                     // "2,700,828"
std::string short_bytes(uint64_t bytes);                 // "512 KiB", "1.5 MiB", "300 B"
std::string short_count(uint64_t value);                 // "1.2 M", "380 k"
double milliseconds(const Run& run, uint64_t cycles);

// The largest stall causes: "load-use 12.0%, D-miss flash 8.1%, ...".
std::string stalls(const CauseCycles& causes, uint64_t cycles, size_t most = 3);

// At most `length` characters, the end cut.
std::string clipped(const std::string& words, size_t length);
std::string title_of(const Run& run);                    // network, else program
std::string row_name(const Layer& layer);                // "3 conv_pw_1", or a name outside operators
std::string widths(const Layer& layer);                  // "8/4/4": input, weights, output; "" outside operators
// A function as people name it: no return type, no arguments, no name spaces of template arguments.
std::string short_function(const std::string& name);

}  // namespace mcusim::report
