// SPDX-License-Identifier: MIT
#include "quant/patch/plan_file.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim::patch {
namespace {

using nlohmann::json;

NamedFormat parse_format(const json& row, const std::string& place) {
  NamedFormat named;
  try {
    named.id = row.at("id").get<int>();
    named.tensor = row.at("tensor").get<std::string>();
    const int bits = row.at("bits").get<int>();
    named.format = {static_cast<uint8_t>(bits), row.at("step").get<double>(),
                    row.at("zero_point").get<int32_t>()};
    if (bits != 8 && bits != 4 && bits != 2) throw Error("{}: bits: {} is not 8, 4 or 2", place, bits);
  } catch (const json::exception& error) {
    throw Error("{}: {}", place, error.what());
  }
  const Format& f = named.format;
  if (!std::isfinite(f.step) || f.step < 1e-3 || f.step > 1e3)
    throw Error("{}: step: {} is not in 0.001..1000", place, f.step);
  if (f.zero_point < 0 || f.zero_point >> f.bits)
    throw Error("{}: zero_point: {} is not a {}-bit value", place, f.zero_point, int{f.bits});
  return named;
}

bool differs(const Format& format, const IntTensor& tensor) {
  return format.step != 1 || format.bits != tensor.bits || format.zero_point != tensor.zero_point;
}

}  // namespace

Plan parse_plan(const std::string& json_text, const std::string& name) {
  const json root = json::parse(json_text, nullptr, false);
  if (!root.is_object() || !root.contains("patch") || !root["patch"].is_string())
    throw Error("{}: not a patch plan (a JSON object with a text 'patch')", name);
  Plan plan;
  try {
    plan.choice = parse_choice(root["patch"].get<std::string>());
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
  if (!root.contains("formats")) return plan;
  if (!root["formats"].is_array()) throw Error("{}: 'formats' is not a list", name);
  for (const auto& row : root["formats"])
    plan.formats.push_back(parse_format(row, fmt::format("{}: formats[{}]", name, plan.formats.size())));
  return plan;
}

Plan load_plan(const std::string& text) {
  if (text.ends_with(".json")) return parse_plan(read_text_file(text), text);
  return {parse_choice(text), {}};
}

std::vector<NamedFormat> changes(const IntNet& net, const std::vector<Format>& formats) {
  std::vector<NamedFormat> named;
  for (size_t id = 0; id < formats.size(); ++id)
    if (net.tensors[id].parent < 0 && differs(formats[id], net.tensors[id]))
      named.push_back({static_cast<int>(id), net.tensors[id].name, formats[id]});
  return named;
}

IntNet apply(const IntNet& net, const Plan& plan) {
  IntNet tiles = patched(net, plan.choice).net;
  if (plan.formats.empty()) return tiles;
  const auto group = format_groups(tiles);
  const auto may = may_narrow(tiles);
  std::vector<Format> formats;
  for (const IntTensor& t : tiles.tensors) formats.push_back({t.bits, 1, t.zero_point});
  for (const NamedFormat& named : plan.formats) {
    if (named.id < 0 || static_cast<size_t>(named.id) >= tiles.tensors.size() ||
        tiles.tensors[static_cast<size_t>(named.id)].name != named.tensor)
      throw Error("patch plan: tensor {} of {} is not '{}'", named.id, tiles.name, named.tensor);
    if (!may[static_cast<size_t>(named.id)])
      throw Error("patch plan: '{}' must keep its width", named.tensor);
    for (size_t id = 0; id < formats.size(); ++id)
      if (group[id] == group[static_cast<size_t>(named.id)]) formats[id] = named.format;
  }
  return narrowed(tiles, formats);
}

}  // namespace mcusim::patch
