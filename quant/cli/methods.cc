// SPDX-License-Identifier: MIT
#include "quant/cli/methods.h"

#include "memmap/base/error.h"

namespace mcusim::net_cli {
namespace {
const MethodRow kMethods[] = {
    {"pc-icn", plan::Flavour::pc_icn, "pc"},
    {"pc-thr", plan::Flavour::pc_thresholds, "pc"},
    {"pl-icn", plan::Flavour::pl_icn, "pl"},
    {"pl-fb", plan::Flavour::pl_fb, "pl"},
    {"pl-mixed", std::nullopt, "pl"},
};
}  // namespace

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& row : kMethods) names.push_back(row.name);
  return names;
}

const MethodRow& method_named(const std::string& name) {
  for (const auto& row : kMethods)
    if (name == row.name) return row;
  throw UsageError("method '{}'", name);
}

const char* name_of(plan::Flavour flavour) {
  for (const auto& row : kMethods)
    if (row.flavour == flavour) return row.name;
  return "";
}

}  // namespace mcusim::net_cli
