// SPDX-License-Identifier: MIT
// The exact search against enumeration of every assignment of small problems.
#include "quant/plan/exact_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "quant/zoo/builder.h"
#include "quant/zoo/random.h"
#include "quant/zoo/zoo.h"

namespace mcusim::plan {
namespace {

// A residual block between two convolutions, a pool and a classifier.
Problem residual_problem() {
  zoo::Builder builder("residual", 16, 3);
  int x = builder.conv("a", builder.input(), 6, 3, 2);
  int y = builder.conv("b", x, 12, 1, 1);
  y = builder.conv("c", y, 6, 1, 1, 1, true);
  x = builder.add("d", x, y);
  x = builder.global_average("pool", x);
  const auto graph = builder.finish(builder.fully_connected("e", x, 10));
  return problem_of(graph, graph::fuse(graph));
}

Costs random_costs(const Problem& problem, zoo::Random& random) {
  Costs costs;
  const auto row = [&]() -> std::array<double, 3> {
    const double four = random.real(0, 1);
    return {0, four, four + random.real(0, 4)};
  };
  for (size_t i = 0; i < problem.layers.size(); ++i) costs.weights.push_back(row());
  for (size_t i = 0; i < problem.tensors.size(); ++i) costs.tensors.push_back(row());
  return costs;
}

// Least loss over all assignments that fit, or infinity.
double enumerate(const Problem& problem, const Limits& limits, const Costs& costs) {
  std::vector<int> groups;
  std::vector<size_t> layers;
  for (const auto& t : problem.tensors)
    if (!t.fixed && std::find(groups.begin(), groups.end(), t.group) == groups.end())
      groups.push_back(t.group);
  for (size_t i = 0; i < problem.layers.size(); ++i)
    if (problem.layers[i].weights > 0) layers.push_back(i);
  double least = std::numeric_limits<double>::infinity();
  size_t combinations = 1;
  for (size_t i = 0; i < groups.size() + layers.size(); ++i) combinations *= 3;
  for (size_t n = 0; n < combinations; ++n) {
    Widths widths = all_at(problem, 8, 8);
    size_t rest = n;
    for (const int group : groups) {
      for (size_t t = 0; t < problem.tensors.size(); ++t)
        if (problem.tensors[t].group == group) widths.tensor_bits[t] = kWidths[rest % 3];
      rest /= 3;
    }
    for (const size_t layer : layers) {
      widths.weight_bits[layer] = kWidths[rest % 3];
      rest /= 3;
    }
    if (peak_activation_bytes(problem, widths) <= limits.ram_bytes &&
        paper_bytes(problem, widths, Mode::pc) <= limits.flash_bytes)
      least = std::min(least, total_cost(problem, widths, costs));
  }
  return least;
}

TEST(ExactSearch, FindsTheLeastLossOfAllAssignments) {
  const Problem problem = residual_problem();
  const Widths eight = all_at(problem, 8, 8), two = all_at(problem, 2, 2);
  const uint64_t flash = paper_bytes(problem, eight, Mode::pc);
  const uint64_t ram = peak_activation_bytes(problem, eight);
  const uint64_t least_flash = paper_bytes(problem, two, Mode::pc);
  zoo::Random random(11);
  int refused = 0;
  for (int trial = 0; trial < 12; ++trial) {
    const Costs costs = random_costs(problem, random);
    const Limits limits = {
        least_flash - 20 + static_cast<uint64_t>(random.integer(0, int32_t(flash - least_flash))),
        ram / 4 + static_cast<uint64_t>(random.integer(0, int32_t(ram * 3 / 4)))};
    const double expected = enumerate(problem, limits, costs);
    const Plan plan = exact_search(problem, limits, Mode::pc, costs);
    EXPECT_EQ(plan.shortfall.has_value(), expected == std::numeric_limits<double>::infinity());
    if (plan.shortfall) {
      ++refused;
      EXPECT_GT(plan.shortfall->needed_bytes, plan.shortfall->limit_bytes);
      continue;
    }
    EXPECT_NEAR(total_cost(problem, plan.widths, costs), expected, 1e-9);
    EXPECT_LE(peak_activation_bytes(problem, plan.widths), limits.ram_bytes);
    EXPECT_LE(paper_bytes(problem, plan.widths, Mode::pc), limits.flash_bytes);
  }
  EXPECT_LT(refused, 12);
}

// Never worse than the rule, on every network of the papers' budget.
TEST(ExactSearch, BeatsTheRuleOrEqualsIt) {
  zoo::Random random(12);
  for (const double width : {1.0, 0.75})
    for (const uint32_t resolution : {224u, 192u}) {
      const auto graph = zoo::mobilenet_v1(width, resolution);
      const Problem problem = problem_of(graph, graph::fuse(graph));
      const Limits limits = {2048000, 512000};
      const Costs costs = random_costs(problem, random);
      const Plan rule = rule_search(problem, limits, Mode::pc);
      const Plan exact = exact_search(problem, limits, Mode::pc, costs);
      ASSERT_FALSE(exact.shortfall);
      EXPECT_LE(paper_bytes(problem, exact.widths, Mode::pc), limits.flash_bytes);
      EXPECT_LE(peak_activation_bytes(problem, exact.widths), limits.ram_bytes);
      EXPECT_LE(total_cost(problem, exact.widths, costs), total_cost(problem, rule.widths, costs));
    }
}

// What no choice of weights can beat: for every price per byte, the least of loss and
// price, summed, less the price of the whole flash (Lagrange). Its gap to the optimum of
// a multiple-choice knapsack is less than what one layer can lose.
double weights_bound(const Problem& problem, const Limits& limits, const Costs& costs) {
  double best = -std::numeric_limits<double>::infinity();
  for (double price = 1e-9; price < 1; price *= 1.02) {
    double sum = -price * static_cast<double>(limits.flash_bytes);
    for (size_t i = 0; i < problem.layers.size(); ++i) {
      if (problem.layers[i].weights == 0) continue;
      double least = std::numeric_limits<double>::infinity();
      for (size_t option = 0; option < 3; ++option) {
        Widths widths = all_at(problem, 8, kWidths[option]);
        const auto bytes = static_cast<double>(weight_bytes(problem, widths, i) +
                                               parameter_bytes(problem, widths, i, Flavour::pc_icn));
        least = std::min(least, costs.weights[i][option] + price * bytes);
      }
      sum += least;
    }
    best = std::max(best, sum);
  }
  return best;
}

// Branches and 50 to 60 layers: limits kept, and within one layer's loss of the bound.
TEST(ExactSearch, LargeNetworksComeWithinOneLayerOfTheBound) {
  zoo::Random random(13);
  for (auto* build : {zoo::mobilenet_v1, zoo::mobilenet_v2, zoo::mnasnet_b1}) {
    const auto graph = build(1.0, 160);
    const Problem problem = problem_of(graph, graph::fuse(graph));
    const Limits limits = {2048000, 512000};
    const Costs costs = random_costs(problem, random);
    SCOPED_TRACE(problem.name);
    const Plan plan = exact_search(problem, limits, Mode::pc, costs);
    ASSERT_FALSE(plan.shortfall) << explain(problem, plan);
    EXPECT_LE(paper_bytes(problem, plan.widths, Mode::pc), limits.flash_bytes);
    EXPECT_LE(peak_activation_bytes(problem, plan.widths), limits.ram_bytes);
    double weights = 0, most = 0;
    for (size_t i = 0; i < problem.layers.size(); ++i) {
      if (problem.layers[i].weights == 0) continue;
      const uint8_t bits = plan.widths.weight_bits[i];
      weights += costs.weights[i][bits == 8 ? 0 : bits == 4 ? 1 : 2];
      most = std::max(most, costs.weights[i][2]);
    }
    const double bound = weights_bound(problem, limits, costs);
    EXPECT_GE(weights, bound - 1e-9);
    EXPECT_LE(weights, bound + most);
  }
}

}  // namespace
}  // namespace mcusim::plan
