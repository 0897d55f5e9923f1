// SPDX-License-Identifier: MIT
#include "quant/plan/latency.h"

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "memmap/base/error.h"

namespace mcusim::plan {
namespace {

using nlohmann::json;

constexpr double kUnknown = std::numeric_limits<double>::infinity();

struct Key {
  std::string layer;
  int in, weights, out;
  auto operator<=>(const Key&) const = default;
};
using Table = std::map<Key, double>;

void read(const RunReport& report, Table& table) {
  const json root = json::parse(report.json_text, nullptr, false);
  if (!root.is_object() || !root.contains("layers") || !root["layers"].is_array())
    throw Error("{}: not a run report (no 'layers')", report.name);
  for (const auto& row : root["layers"]) try {
      if (row.at("op_index").get<int>() < 0) continue;
      table[{row.at("name").get<std::string>(), row.at("in_bits").get<int>(),
             row.at("weight_bits").get<int>(), row.at("out_bits").get<int>()}] =
          row.at("cycles").get<double>();
    } catch (const json::exception& error) {
      throw Error("{}: not a run report: {}", report.name, error.what());
    }
}

}  // namespace

Costs latency_costs(const Problem& problem, const std::vector<RunReport>& reports) {
  Table table;
  for (const auto& report : reports) read(report, table);
  Costs costs;
  costs.weights.assign(problem.layers.size(), {0, 0, 0});
  costs.tensors.assign(problem.tensors.size(), {0, 0, 0});
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    const auto& layer = problem.layers[i];
    const int eight = layer.weights > 0 ? 8 : 0;
    const auto base = table.find({layer.name, 8, eight, 8});
    if (base == table.end())
      throw Error("{}: no report shows layer {} at 8 bits", problem.name, layer.name);
    const auto extra = [&](int in, int weights, int out) {
      const auto at = table.find({layer.name, in, weights, out});
      return at == table.end() ? kUnknown : at->second - base->second;
    };
    for (size_t option = 1; option < kWidths.size(); ++option) {
      const int bits = kWidths[option];
      if (layer.weights > 0) costs.weights[i][option] = extra(8, bits, 8);
      // Network inputs and outputs stay at 8 bits, so the whole is the other side's.
      const int in = layer.inputs[0], out = layer.output;
      const bool in_fixed = problem.tensors[in].fixed, out_fixed = problem.tensors[out].fixed;
      if (in_fixed && out_fixed) continue;
      const double more = extra(in_fixed ? 8 : bits, eight, out_fixed ? 8 : bits);
      const double part = in_fixed || out_fixed ? more : more / 2;
      if (!in_fixed) costs.tensors[in][option] += part;
      if (!out_fixed) costs.tensors[out][option] += part;
    }
  }
  return costs;
}

}  // namespace mcusim::plan
