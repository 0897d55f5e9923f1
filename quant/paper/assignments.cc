// SPDX-License-Identifier: MIT
#include "quant/paper/assignments.h"

#include <fmt/format.h>

#include "quant/zoo/builder.h"
#include "quant/zoo/zoo.h"

namespace mcusim::paper {
namespace {

uint64_t total_macs(const plan::Problem& problem) {
  uint64_t macs = 0;
  for (const auto& layer : problem.layers) macs += layer.macs;
  return macs;
}

// "L15 L17=4, L28=2": layers whose width (by `bits`) is below 8.
template <typename BitsOf>
std::string narrowed(const plan::Problem& problem, const BitsOf& bits) {
  std::string text;
  for (const uint8_t width : {4, 2}) {
    std::string names;
    for (size_t i = 0; i < problem.layers.size(); ++i)
      if (bits(i) == width) names += (names.empty() ? "" : " ") + problem.layers[i].name;
    if (!names.empty()) text += (text.empty() ? "" : ", ") + fmt::format("{}={}", names, width);
  }
  return text.empty() ? "-" : text;
}

std::string narrowed_outputs(const plan::Problem& problem, const plan::Widths& widths) {
  return narrowed(problem, [&](size_t i) {
    return problem.layers[i].weights ? widths.tensor_bits[static_cast<size_t>(problem.layers[i].output)] : uint8_t{8};
  });
}

std::string narrowed_weights(const plan::Problem& problem, const plan::Widths& widths) {
  return narrowed(problem, [&](size_t i) { return widths.weight_bits[i]; });
}

}  // namespace

Network network_of(const std::string& family, double width, uint32_t resolution) {
  const auto graph = zoo::family(family).build(width, resolution);
  return {family, width, resolution, zoo::network_name("", width, resolution).substr(1),
          plan::problem_of(graph, graph::fuse(graph))};
}

Build zoo_build(const Network& network, const plan::Limits& limits, const ModeRow& mode) {
  return {fmt::format("{}{}_{}_{}_{}", network.family, zoo::network_name("", network.width, network.resolution), mode.word,
                      limits.flash_bytes, limits.ram_bytes),
          {"mcusim", "zoo", network.family, "--width", fmt::format("{}", network.width), "--resolution",
           fmt::format("{}", network.resolution), "--flash", fmt::format("{}", limits.flash_bytes), "--ram",
           fmt::format("{}", limits.ram_bytes), "--mode", mode.word},
          {}, false};
}

std::vector<Column> assignment_columns() {
  return {
    {"network"}, {"mode"}, {"MMAC"}, {"outputs below 8 bits", Origin::planned},
    {"weights below 8 bits", Origin::planned}, {"read-only B", Origin::planned},
    {"RAM B before", Origin::planned}, {"RAM B", Origin::planned}, {"image B", Origin::built},
    {"arena B", Origin::simulated}, {"Mcycles", Origin::simulated}, {"ms", Origin::simulated},
    {"fps", Origin::simulated}};
}

std::vector<std::string> assignment_row(const Network& network, const ModeRow& mode, const plan::Limits& limits,
                                        const Built& built) {
  const size_t columns = assignment_columns().size();
  const auto& problem = network.problem;
  const auto plan = plan::rule_search(problem, limits, mode.mode);
  std::vector<std::string> row = {network.name, mode.shown, fmt::format("{:.1f}", static_cast<double>(total_macs(problem)) / 1e6)};
  if (plan.shortfall) {
    row.push_back(short_refusal(plan::explain(problem, plan)));
    row.resize(columns, "-");
    return row;
  }
  row.push_back(narrowed_outputs(problem, plan.widths));
  row.push_back(narrowed_weights(problem, plan.widths));
  row.push_back(fmt::format("{}", plan::paper_bytes(problem, plan.widths, mode.mode)));
  row.push_back(fmt::format("{}", plan::peak_activation_bytes(problem, plan::all_at(problem, 8, 8))));
  row.push_back(fmt::format("{}", plan::peak_activation_bytes(problem, plan.widths)));
  if (built.run) {
    const RunFacts& run = *built.run;
    row.push_back(fmt::format("{}", run.image_bytes));
    row.push_back(fmt::format("{}", run.arena_bytes));
    row.push_back(fmt::format("{:.2f}", static_cast<double>(run.cycles) / 1e6));
    row.push_back(fmt::format("{:.2f}", run.milliseconds()));
    row.push_back(fmt::format("{:.2f}", run.frames_per_second()));
  } else {
    row.push_back(short_refusal(built.refusal));
  }
  row.resize(columns, "-");
  return row;
}

}  // namespace mcusim::paper
