// SPDX-License-Identifier: MIT
// The arithmetics of a network's layers, by the names of --method.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quant/plan/problem.h"

namespace mcusim::net_cli {

struct MethodRow {
  const char* name;
  std::optional<plan::Flavour> flavour;  // none: folded or normalised, as the widths say
  const char* mode;                      // of the planner's byte model
};

std::vector<std::string> method_names();
const MethodRow& method_named(const std::string& name);  // one of method_names()
const char* name_of(plan::Flavour flavour);

}  // namespace mcusim::net_cli
