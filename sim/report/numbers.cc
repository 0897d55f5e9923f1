// SPDX-License-Identifier: MIT
#include "sim/report/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string_view>

namespace mcusim::report {
namespace {

// The first unit in which less than `step` of it remain, with at most one decimal.
std::string scaled(uint64_t value, double step, std::initializer_list<const char*> units) {
  auto unit = units.begin();
  double number = static_cast<double>(value);
  while (number >= step && unit + 1 != units.end()) number /= step, ++unit;
  std::string digits = fmt::format("{:.1f}", number);
  if (digits.ends_with(".0")) digits.resize(digits.size() - 2);
  return **unit ? digits + " " + *unit : digits;
}

}  // namespace

double share(uint64_t part, uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string percent(uint64_t part, uint64_t whole) { return fmt::format("{:.1f}%", 100 * share(part, whole)); }

std::string ratio(uint64_t part, uint64_t whole) { return whole ? fmt::format("{:.2f}", share(part, whole)) : ""; }

std::string grouped(uint64_t value) {
  std::string out = fmt::format("{}", value);
  for (size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string short_bytes(uint64_t bytes) { return scaled(bytes, 1024, {"B", "KiB", "MiB", "GiB"}); }

std::string short_count(uint64_t value) { return scaled(value, 1000, {"", "k", "M", "G"}); }

double milliseconds(const Run& run, uint64_t cycles) {
  return run.core_hz ? static_cast<double>(cycles) * 1e3 / static_cast<double>(run.core_hz) : 0;
}

std::string stalls(const CauseCycles& causes, uint64_t cycles, size_t most) {
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 1; i < kCauseCount; ++i)
    if (causes[i]) order.emplace_back(causes[i], i);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out;
  for (size_t i = 0; i < std::min(most, order.size()); ++i)
    out += fmt::format("{}{} {}", i ? ", " : "", cause_name(static_cast<Cause>(order[i].second)),
                       percent(order[i].first, cycles));
  return out;
}

std::string clipped(const std::string& words, size_t length) {
  return words.size() <= length || length < 3 ? words.substr(0, length) : words.substr(0, length - 2) + "..";
}

std::string title_of(const Run& run) { return run.network.empty() ? run.program : run.network; }

std::string row_name(const Layer& layer) {
  return layer.op_index < 0 ? layer.name : fmt::format("{} {}", layer.layer_id, layer.name);
}

std::string widths(const Layer& layer) {
  if (layer.op_index < 0) return "";
  return fmt::format("{}/{}/{}", layer.in_bits, layer.weight_bits ? fmt::format("{}", layer.weight_bits) : "-",
                     layer.out_bits);
}

std::string short_function(const std::string& whole) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)::";
  std::string name = whole;
  for (size_t at; (at = name.find(kAnonymous)) != std::string::npos;) name.erase(at, kAnonymous.size());
  // Outside every bracket a space ends the return type and a parenthesis the name.
  int depth = 0;
  size_t first = 0, last = name.size();
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '(' && depth == 0 && i > first) {
      last = i;
      break;
    }
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == '}') --depth;
    if (c == ' ' && depth == 0) first = i + 1;
  }
  if (first >= last || name[first] == '(') return name;
  std::string out;
  depth = 0;
  for (size_t i = first; i < last; ++i) {
    if (name[i] == '<' || name[i] == '(') ++depth;
    if (name[i] == '>' || name[i] == ')') --depth;
    if (depth > 0 && name.compare(i, 2, "::") == 0) {
      while (!out.empty() && (std::isalnum(static_cast<unsigned char>(out.back())) || out.back() == '_')) out.pop_back();
      ++i;
      continue;
    }
    out += name[i];
  }
  return out;
}

}  // namespace mcusim::report
