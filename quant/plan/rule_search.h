// SPDX-License-Identifier: MIT
// The papers' two rules: cut activation widths until every layer fits the RAM
// (Algorithm 1, as the authors' training code walks), then cut weight widths
// until the parameters fit the flash (Algorithm 2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quant/plan/problem.h"

namespace mcusim::plan {

struct Limits {
  uint64_t flash_bytes = 0, ram_bytes = 0;
  uint8_t min_activation_bits = 2, min_weight_bits = 2;
};

// Why no plan exists: what still does not fit when nothing more may be cut.
struct Shortfall {
  std::string memory;               // "RAM" or "flash"
  int layer = -1;                   // the layer that does not fit RAM; flash: the largest layer
  uint64_t needed_bytes = 0, limit_bytes = 0;
};

struct Plan {
  Mode mode = Mode::pc;
  Widths widths;                    // as far as the search came when it failed
  std::optional<Shortfall> shortfall;
};

// Each returns what keeps it from fitting, or nothing.
std::optional<Shortfall> cut_activations(const Problem& problem, const Limits& limits,
                                         Widths& widths);
std::optional<Shortfall> cut_weights(const Problem& problem, const Limits& limits, Mode mode,
                                     Widths& widths);
Plan rule_search(const Problem& problem, const Limits& limits, Mode mode);

// One sentence: memory, layer, operands with widths, bytes needed, bytes short.
std::string explain(const Problem& problem, const Plan& plan);

}  // namespace mcusim::plan
