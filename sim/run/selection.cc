// SPDX-License-Identifier: MIT
#include "sim/run/selection.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "memmap/base/error.h"
#include "sim/run/demangle.h"

namespace mcusim {
namespace {

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

uint32_t find_layer(std::span<const report::Layer> layers, const std::string& name, const std::string& where) {
  bool has_names = false;
  for (const auto& layer : layers) {
    if (layer.op_index < 0) continue;
    has_names = true;
    if (layer.name == name || fmt::format("{}", layer.op_index) == name) return static_cast<uint32_t>(layer.op_index);
  }
  const auto index = number(name);
  if (!has_names && index && *index < UINT32_MAX) return static_cast<uint32_t>(*index);
  throw Error("{}: no layer '{}'; {}", where, name,
              has_names ? "name one or give its operator index" : "give the number that its begin mark carries");
}

const Symbol& find_function(std::span<const Symbol> symbols, const std::string& name, const std::string& where) {
  std::vector<const Symbol*> parts;
  for (const Symbol& symbol : symbols) {
    if (!symbol.is_function) continue;
    const std::string shown = demangled(symbol.name);
    if (symbol.name == name || shown == name) return symbol;
    const bool is_alias = !parts.empty() && parts.back()->address == symbol.address;
    if (!is_alias && shown.find(name) != std::string::npos) parts.push_back(&symbol);
  }
  if (parts.size() == 1) return *parts.front();
  if (parts.empty()) throw Error("{}: no function '{}' among its symbols", where, name);
  std::string some;
  for (size_t i = 0; i < std::min<size_t>(4, parts.size()); ++i) some += (i ? ", " : "") + demangled(parts[i]->name);
  throw Error("{}: {} functions have '{}' in their names ({}{}); name one", where, parts.size(), name, some,
              parts.size() > 4 ? ", ..." : "");
}

Stretch parse_stretch(const std::string& text, const std::string& option) {
  const size_t colon = text.find(':');
  Stretch out;
  if (colon != std::string::npos && text.size() > 1) {
    const std::string first = text.substr(0, colon), last = text.substr(colon + 1);
    const auto a = first.empty() ? out.first : number(first), b = last.empty() ? out.last : number(last);
    if (a && b && *a < *b) return {*a, *b};
  }
  throw UsageError("{}: '{}' is not FIRST:END with FIRST below END (either may be left out)", option, text);
}

}  // namespace mcusim
