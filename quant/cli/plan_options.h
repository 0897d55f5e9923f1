// SPDX-License-Identifier: MIT
// The options that choose a bit plan, shared by `zoo`, `plan` and `quantize`, and
// the table and picture that show one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "quant/plan/exact_search.h"

namespace mcusim::net_cli {

struct PlanOptions {
  uint64_t flash_bytes = 0, ram_bytes = 0;  // 0: no limit given
  std::string mode = "pc", search = "rule", count = "image", board = "stm32h743";
  std::string bits_path;
  int min_activation_bits = 2, min_weight_bits = 2;

  void add_limits(CLI::App& command);  // --flash, --ram, least widths, --bits
  void add_mode(CLI::App& command);    // --mode
  void add_search(CLI::App& command, const char* flag, bool tries = false);  // rule or exact
  void add_count(CLI::App& command);   // --count, --board
  bool exact() const { return search == "exact"; }
  bool tries() const { return search == "rl" || search == "random"; }
  plan::Limits limits() const;
  plan::Mode plan_mode() const;
  // Widths from the file, from a search under the limits, or 8 bits; `costs` are
  // needed by the exact one. Throws Error that explains what does not fit.
  plan::Widths choose(const plan::Problem& problem, const plan::Costs* costs = nullptr) const;
};

// Per layer: widths, bytes of weights and activations, and RAM over the layers
// before and after as bars.
void print_plan(const plan::Problem& problem, const plan::Widths& widths, plan::Mode mode,
                uint64_t ram_bytes);

}  // namespace mcusim::net_cli
