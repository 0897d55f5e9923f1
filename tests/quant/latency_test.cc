// SPDX-License-Identifier: MIT
// Cycle costs from run reports, on made reports whose sums are known.
#include "quant/plan/latency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "memmap/base/error.h"
#include "quant/zoo/zoo.h"

namespace mcusim::plan {
namespace {

Problem small_problem() {
  const auto graph = zoo::mobilenet_v1(0.25, 32);
  return problem_of(graph, graph::fuse(graph));
}

// A report in which every layer takes `cycles`; the width of weights means nothing
// to a layer that has none.
RunReport made(const Problem& problem, int activations, int weights, int cycles) {
  std::string rows = R"({"name": "start-up", "op_index": -1, "cycles": 5})";
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    const auto& layer = problem.layers[i];
    const auto bits = [&](int t) { return problem.tensors[t].fixed ? 8 : activations; };
    rows += fmt::format(
        R"(, {{"name": "{}", "op_index": {}, "in_bits": {}, "weight_bits": {}, "out_bits": {}, "cycles": {}}})",
        layer.name, i, bits(layer.inputs[0]), layer.weights ? weights : 0, bits(layer.output),
        layer.weights || activations != 8 ? cycles : 100);
  }
  return {"made", "{\"layers\": [" + rows + "]}"};
}

TEST(Latency, UniformPlansCostWhatTheirReportsSay) {
  const Problem problem = small_problem();
  const Costs costs = latency_costs(
      problem, {made(problem, 8, 8, 100), made(problem, 8, 4, 130), made(problem, 4, 8, 90)});
  const auto layers = static_cast<double>(problem.layers.size());
  double weighted = 0;
  for (const auto& layer : problem.layers) weighted += layer.weights > 0;
  EXPECT_DOUBLE_EQ(total_cost(problem, all_at(problem, 8, 8), costs), 0);
  EXPECT_DOUBLE_EQ(total_cost(problem, all_at(problem, 8, 4), costs), 30 * weighted);
  EXPECT_DOUBLE_EQ(total_cost(problem, all_at(problem, 4, 8), costs), -10 * layers);
  // No report shows 2 bits.
  EXPECT_TRUE(std::isinf(total_cost(problem, all_at(problem, 8, 2), costs)));
}

// Narrow weights are slower here, so a plan takes no more of them than the flash asks.
TEST(Latency, ExactSearchBuysFlashWithAsFewCyclesAsItCan) {
  const Problem problem = small_problem();
  const Costs costs = latency_costs(
      problem, {made(problem, 8, 8, 100), made(problem, 8, 4, 130), made(problem, 4, 8, 90)});
  const uint64_t eight = paper_bytes(problem, all_at(problem, 8, 8), Mode::pc);
  Limits limits = {eight, 1 << 20};
  limits.min_activation_bits = 8;
  EXPECT_EQ(exact_search(problem, limits, Mode::pc, costs).widths.weight_bits,
            all_at(problem, 8, 8).weight_bits);
  limits.flash_bytes = eight - 1;
  const Plan plan = exact_search(problem, limits, Mode::pc, costs);
  ASSERT_FALSE(plan.shortfall);
  EXPECT_DOUBLE_EQ(total_cost(problem, plan.widths, costs), 30);  // one layer is enough
}

TEST(Latency, ReportsOfAnotherNetworkAreRefused) {
  const Problem problem = small_problem();
  const auto message = [&](const RunReport& report) -> std::string {
    try {
      latency_costs(problem, {report});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message({"r.json", "{}"}), testing::HasSubstr("r.json: not a run report"));
  EXPECT_THAT(message({"r.json", R"({"layers": []})"}), testing::HasSubstr("layer L1 at 8 bits"));
  EXPECT_THAT(message({"r.json", R"({"layers": [{"op_index": 0}]})"}),
              testing::HasSubstr("r.json: not a run report"));
}

}  // namespace
}  // namespace mcusim::plan
