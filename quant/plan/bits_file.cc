// SPDX-License-Identifier: MIT
#include "quant/plan/bits_file.h"

#include <nlohmann/json.hpp>

#include "memmap/base/error.h"

namespace mcusim::plan {
namespace {

using nlohmann::json;

uint8_t width(const json& value, const std::string& place) {
  if (value.is_number_integer())
    for (const int bits : {8, 4, 2})
      if (value == bits) return static_cast<uint8_t>(bits);
  throw Error("{}: {} (a width is 8, 4 or 2)", place, value.dump());
}

}  // namespace

Widths parse_bits(const Problem& problem, const std::string& json_text, const std::string& name) {
  const json root = json::parse(json_text, nullptr, false);
  if (!root.is_object() || !root.contains("layers") || !root["layers"].is_array())
    throw Error("{}: not a bit plan (a JSON object with an array 'layers')", name);
  Widths widths = all_at(problem, 8, 8);
  for (const auto& row : root["layers"]) {
    if (!row.is_object() || !row.contains("name") || !row["name"].is_string())
      throw Error("{}: a layer without a name: {}", name, row.dump());
    const std::string layer_name = row["name"];
    const std::string place = name + ": layer " + layer_name;
    size_t index = 0;
    while (index < problem.layers.size() && problem.layers[index].name != layer_name) ++index;
    if (index == problem.layers.size()) throw Error("{}: {} has no such layer", place, problem.name);
    const auto& layer = problem.layers[index];
    for (const auto& [key, value] : row.items()) {
      if (key == "name") continue;
      const uint8_t bits = width(value, place + ": " + key);
      if (key == "weights" && layer.weights > 0) {
        widths.weight_bits[index] = bits;
      } else if (key == "output") {
        if (problem.tensors[layer.output].fixed && bits != 8)
          throw Error("{}: output: the network's own outputs have 8 bits", place);
        if (bits < problem.tensors[layer.output].least_bits)
          throw Error("{}: output: {} bits, at least {} for the groups of a convolution", place, bits,
                      problem.tensors[layer.output].least_bits);
        for (size_t t = 0; t < problem.tensors.size(); ++t)
          if (problem.tensors[t].group == problem.tensors[layer.output].group)
            widths.tensor_bits[t] = bits;
      } else {
        throw Error("{}: unknown field '{}'", place, key);
      }
    }
  }
  return widths;
}

std::string format_bits(const Problem& problem, const Widths& widths) {
  json rows = json::array();
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    json row = {{"name", problem.layers[i].name},
                {"output", widths.tensor_bits[problem.layers[i].output]}};
    if (problem.layers[i].weights > 0) row["weights"] = widths.weight_bits[i];
    rows.push_back(row);
  }
  return json{{"layers", rows}}.dump(2) + "\n";
}

}  // namespace mcusim::plan
