// SPDX-License-Identifier: MIT
// Networks of the zoo under memory limits: how to build one, and its row in a table.
#pragma once

#include <string>
#include <vector>

#include "quant/paper/workshop.h"
#include "quant/plan/rule_search.h"

namespace mcusim::paper {

// The papers' "2 MB" and "512 kB" are these decimals: the published assignments
// come out with them and with no others (docs/quantisation.md).
inline constexpr plan::Limits kTwoMegabytes = {2'048'000, 512'000};

struct Network {
  std::string family;   // of the zoo
  double width = 1;
  uint32_t resolution = 224;
  std::string name;     // 224_1.0
  plan::Problem problem;
};
Network network_of(const std::string& family, double width, uint32_t resolution);

struct ModeRow {
  plan::Mode mode;
  const char *word, *shown;
};
inline constexpr ModeRow kModes[] = {{plan::Mode::pl, "pl", "PL"}, {plan::Mode::pc, "pc", "PC+ICN"}};

// Widths by the memory-driven rule.
Build zoo_build(const Network& network, const plan::Limits& limits, const ModeRow& mode);

std::vector<Column> assignment_columns();
std::vector<std::string> assignment_row(const Network& network, const ModeRow& mode,
                                        const plan::Limits& limits, const Built& built);

}  // namespace mcusim::paper
