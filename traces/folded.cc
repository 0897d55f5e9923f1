// SPDX-License-Identifier: MIT
// Folded stacks: "main;run_network;kernel 1234", weight = cycles. Read by
// flamegraph.pl and speedscope; a ';' or newline inside a name would break a line,
// so they are replaced.
#include <fmt/format.h>

#include <algorithm>

#include "traces/call_profile.h"

namespace mcusim::trace {
namespace {

std::string frame_name(std::string name) {
  std::replace_if(name.begin(), name.end(), [](char c) { return c == ';' || c == '\n' || c == '\r'; }, ':');
  return name;
}

}  // namespace

std::string write_folded(const CallProfile& profile) {
  std::vector<std::string> stacks(profile.nodes.size());
  std::string out;
  for (size_t i = 0; i < profile.nodes.size(); ++i) {
    const CallNode& node = profile.nodes[i];
    const std::string name = frame_name(profile.functions[node.function].name);
    stacks[i] = i == 0 ? "" : stacks[node.parent].empty() ? name : stacks[node.parent] + ";" + name;
    if (node.self_cycles) out += fmt::format("{} {}\n", i == 0 ? name : stacks[i], node.self_cycles);
  }
  return out;
}

}  // namespace mcusim::trace
