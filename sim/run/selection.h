// SPDX-License-Identifier: MIT
// Parts of a run by the names that people type: layers, functions, stretches of
// cycles or instructions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sim/loader/program.h"
#include "sim/report/report.h"

namespace mcusim {

// Operator index of a layer, by its name or its number; firmware that marks layers of
// its own has numbers only. Throws Error naming `where`.
uint32_t find_layer(std::span<const report::Layer> layers, const std::string& name, const std::string& where);

// A function by its symbol, its declared name, or a part of that which only one has.
// Throws Error naming `where` and, of several, the first few.
const Symbol& find_function(std::span<const Symbol> symbols, const std::string& name, const std::string& where);

// "A:B", "A:" or ":B" as [first, last).
struct Stretch {
  uint64_t first = 0, last = UINT64_MAX;
  bool contains(uint64_t value) const { return first <= value && value < last; }
};
Stretch parse_stretch(const std::string& text, const std::string& option);   // throws UsageError

// What of a run is recorded; at most one of these is set, none: all of it.
struct WindowRequest {
  std::string layer, symbol;
  std::optional<Stretch> cycles, instructions;
  bool whole() const { return layer.empty() && symbol.empty() && !cycles && !instructions; }
};

}  // namespace mcusim
