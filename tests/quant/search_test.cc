// SPDX-License-Identifier: MIT
// The bit-width search: gradients against finite differences, walls against the
// memory model, and learning against random search on MobileNetV1 with rule-made losses.
#include "quant/search/search.h"

#include <gmock/gmock.h>

#include <cmath>

#include "memmap/base/error.h"
#include "quant/plan/exact_search.h"
#include "quant/zoo/random.h"
#include "quant/zoo/zoo.h"

namespace mcusim::search {
namespace {

TEST(Mlp, GradientsOfParametersAndInputsEqualFiniteDifferences) {
  for (const bool sigmoid : {false, true}) {
    zoo::Random random(3);
    Mlp net(4, 17, sigmoid, random);
    for (size_t i = 0; i < net.parameter_count(); ++i)
      net.parameter(i) = static_cast<float>(random.real(-0.5, 0.5));
    std::vector<float> rows(5 * 4), weights(5);
    for (auto& x : rows) x = static_cast<float>(random.real(-1, 1));
    for (auto& x : weights) x = static_cast<float>(random.real(-1, 1));
    const auto loss = [&] {
      double sum = 0;
      const auto& y = net.forward(rows);
      for (size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(weights[i]) * y[i];
      return sum;
    };
    loss();
    const auto to_inputs = net.backward(weights);
    constexpr float kStep = 2e-3f;
    const auto difference = [&](float& value) {
      const float kept = value;
      value = kept + kStep;
      const double above = loss();
      value = kept - kStep;
      const double below = loss();
      value = kept;
      return (above - below) / (2 * static_cast<double>(kStep));
    };
    int kinks = 0;  // a ReLU that switches within the step
    for (size_t i = 0; i < net.parameter_count(); ++i)
      kinks += std::fabs(difference(net.parameter(i)) - net.gradient(i)) > 2e-3;
    for (size_t i = 0; i < rows.size(); ++i)
      kinks += std::fabs(difference(rows[i]) - to_inputs[i]) > 2e-3;
    EXPECT_LT(kinks, static_cast<int>(net.parameter_count() / 20));
  }
}

// Losses as measured ones look: each halving of a width costs several times more,
// and some tensors matter much more than others.
plan::Costs rule_made_costs(const plan::Problem& problem, uint64_t seed) {
  zoo::Random random(seed);
  const auto costs = [&] {
    const double base = std::pow(10, random.real(-4, -2));
    return std::array<double, 3>{0, base, base * random.real(4, 20)};
  };
  plan::Costs result;
  for (const auto& layer : problem.layers)
    result.weights.push_back(layer.weights ? costs() : std::array<double, 3>{});
  result.tensors.resize(problem.tensors.size());
  for (size_t t = 0; t < problem.tensors.size(); ++t)
    if (!problem.tensors[t].fixed && problem.tensors[t].group == static_cast<int>(t))
      result.tensors[t] = costs();
  return result;
}

class MobileNetSearch : public testing::Test {
 protected:
  graph::Graph graph = zoo::family("mobilenet_v1").build(0.75, 224);
  graph::LayerGraph layers = graph::fuse(graph);
  plan::Problem problem = plan::problem_of(graph, layers);
  plan::Limits limits{1024000, 512000, 2, 2};
  plan::Costs costs = rule_made_costs(problem, 9);
  Environment environment{graph, layers, problem, limits, plan::Mode::pc};

  double score(const plan::Widths& widths) const {
    return -std::log10(1e-6 + plan::total_cost(problem, widths, costs));
  }
  SearchResult run(Strategy strategy, uint64_t seed, unsigned episodes) const {
    SearchOptions options;
    options.strategy = strategy;
    options.seed = seed;
    options.episodes = episodes;
    options.agent.hidden = 64;  // a fifth of the default's time
    return search(environment, [&](const plan::Widths& w) { return score(w); }, options);
  }
};

TEST_F(MobileNetSearch, EveryPlanFitsBothMemories) {
  zoo::Random random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<double> actions;
    for (size_t i = 0; i < environment.steps().size(); ++i) actions.push_back(random.real(0, 1));
    const auto widths = environment.plan(actions);
    ASSERT_LE(plan::paper_bytes(problem, widths, plan::Mode::pc), limits.flash_bytes);
    ASSERT_LE(plan::peak_activation_bytes(problem, widths), limits.ram_bytes);
  }
}

TEST_F(MobileNetSearch, WallsLeaveAPlanThatFitsAsItIs) {
  const auto rule = plan::rule_search(problem, limits, plan::Mode::pc);
  ASSERT_FALSE(rule.shortfall);
  const auto widths = environment.plan(environment.actions_of(rule.widths));
  EXPECT_EQ(widths.weight_bits, rule.widths.weight_bits);
  EXPECT_EQ(widths.tensor_bits, rule.widths.tensor_bits);
}

TEST_F(MobileNetSearch, LimitsThatNothingMeetsAreExplained) {
  limits.flash_bytes = 300000;
  EXPECT_THROW(Environment(graph, layers, problem, limits, plan::Mode::pc), Error);
}

TEST_F(MobileNetSearch, StatesLieBetween0And1AndTellWeightsFromActivations) {
  const auto& steps = environment.steps();
  EXPECT_EQ(steps.size(), 28u + 27u);  // 28 layers with weights; the logits stay at 8 bits
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const float value : environment.state(i, 1)) EXPECT_TRUE(value >= 0 && value <= 1);
    EXPECT_EQ(environment.state(i, 0.25)[9], steps[i].weights ? 1 : 0);
    EXPECT_EQ(environment.state(i, 0.25)[8], 0.25f);
  }
}

// docs/training.md has the full comparison.
TEST_F(MobileNetSearch, LearningBeatsRandomPlansAtEqualEvaluations) {
  const auto learned = run(Strategy::reinforcement, 1, 120), random = run(Strategy::random, 1, 120);
  EXPECT_GT(learned.episodes[learned.best].reward, random.episodes[random.best].reward);
  for (const auto& episode : learned.episodes) EXPECT_TRUE(environment.fits(episode.widths));
}

TEST_F(MobileNetSearch, AKnownPlanIsTheFirstEpisode) {
  const auto rule = plan::rule_search(problem, limits, plan::Mode::pc);
  SearchOptions options;
  options.episodes = 2;
  options.first_actions = environment.actions_of(rule.widths);
  const auto result = search(environment, [&](const plan::Widths& w) { return score(w); }, options);
  EXPECT_EQ(result.episodes[0].reward, score(rule.widths));
}

TEST_F(MobileNetSearch, SeedsDecideTheEpisodes) {
  const auto first = run(Strategy::reinforcement, 4, 24), again = run(Strategy::reinforcement, 4, 24);
  const auto other = run(Strategy::reinforcement, 5, 24);
  bool differs = false;
  for (size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(first.episodes[i].reward, again.episodes[i].reward);
    differs |= first.episodes[i].reward != other.episodes[i].reward;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace mcusim::search
