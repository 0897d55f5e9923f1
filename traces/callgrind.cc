// SPDX-License-Identifier: MIT
// Callgrind format 1 (valgrind.org, "Callgrind Format Specification"): cost lines
// by instruction address, calls with inclusive cost. Names are compressed as
// "(id) name" at first use. Events: Cycles Ir.
#include <fmt/format.h>

#include <map>
#include <tuple>

#include "traces/call_profile.h"

namespace mcusim::trace {
namespace {

struct CallEdge {
  uint64_t calls = 0, cycles = 0, instructions = 0;
};

std::string line_safe(std::string name) {
  for (char& c : name)
    if (c == '\n' || c == '\r') c = ' ';
  return name;
}

class Names {
 public:
  explicit Names(const CallProfile& profile) : profile_(profile), seen_(profile.functions.size()) {}
  std::string of(uint32_t function) {
    if (seen_[function]) return fmt::format("({})", function + 1);
    seen_[function] = true;
    return fmt::format("({}) {}", function + 1, line_safe(profile_.functions[function].name));
  }

 private:
  const CallProfile& profile_;
  std::vector<bool> seen_;
};

std::vector<uint64_t> inclusive_instructions(const CallProfile& profile) {
  std::vector<uint64_t> out(profile.nodes.size());
  for (size_t i = profile.nodes.size(); i-- > 0;) {
    out[i] += profile.nodes[i].self_instructions;
    if (i > 0) out[profile.nodes[i].parent] += out[i];
  }
  return out;
}

}  // namespace

std::string write_callgrind(const CallProfile& profile) {
  // Edges by (caller, call site, callee); contexts of the same edge are summed.
  // The root's own callees start the program and have no caller line.
  std::map<std::tuple<uint32_t, uint32_t, uint32_t>, CallEdge> edges;
  const auto cycles = inclusive_cycles(profile);
  const auto instructions = inclusive_instructions(profile);
  for (size_t i = 1; i < profile.nodes.size(); ++i) {
    const CallNode& node = profile.nodes[i];
    if (node.parent == 0) continue;
    CallEdge& edge = edges[{profile.nodes[node.parent].function, node.call_site, node.function}];
    edge.calls += node.calls;
    edge.cycles += cycles[i];
    edge.instructions += instructions[i];
  }
  std::map<uint32_t, std::vector<const AddressCost*>> costs;
  for (const auto& cost : profile.costs) costs[cost.function].push_back(&cost);
  for (const auto& [key, edge] : edges) costs.try_emplace(std::get<0>(key));

  Names names(profile);
  std::string out = fmt::format(
      "# callgrind format\nversion: 1\ncreator: mcusim\ncmd: {}\npositions: instr line\nevents: Cycles Ir\n"
      "summary: {} {}\n\nob={}\nfl=(1) ???\n",
      line_safe(profile.program), profile.cycles, profile.instructions, line_safe(profile.program));
  for (const auto& [function, own] : costs) {
    out += fmt::format("\nfn={}\n", names.of(function));
    for (const AddressCost* cost : own)
      out += fmt::format("0x{:x} 0 {} {}\n", cost->address, cost->cycles, cost->instructions);
    for (auto it = edges.lower_bound({function, 0, 0}); it != edges.end() && std::get<0>(it->first) == function; ++it) {
      const auto& [caller, site, callee] = it->first;
      const CallEdge& edge = it->second;
      out += fmt::format("cfn={}\ncalls={} 0x{:x} 0\n0x{:x} 0 {} {}\n", names.of(callee), edge.calls,
                         profile.functions[callee].address, site, edge.cycles, edge.instructions);
    }
  }
  return out;
}

}  // namespace mcusim::trace
