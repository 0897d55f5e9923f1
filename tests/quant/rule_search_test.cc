// SPDX-License-Identifier: MIT
// The rule search against the per-layer widths of the authors' STM32 programs
// (16 MobileNetV1 networks, per-channel, and 224_1.0 per-layer) and the byte
// counts that follow from them.
#include "quant/plan/rule_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "memmap/base/error.h"
#include "quant/zoo/zoo.h"

namespace mcusim::plan {
namespace {

using testing::HasSubstr;
using Cuts = std::map<int, int>;  // layer number (L1 = 1) -> bits below 8

Problem mobilenet(uint32_t resolution, double width) {
  const auto graph = zoo::mobilenet_v1(width, resolution);
  return problem_of(graph, graph::fuse(graph));
}

// Weighted layers only: the pool has neither weights nor an output of its own.
Cuts weight_cuts(const Problem& problem, const Plan& plan) {
  Cuts cuts;
  int number = 0;
  for (size_t i = 0; i < problem.layers.size(); ++i)
    if (problem.layers[i].weights > 0 && (++number, plan.widths.weight_bits[i] < 8))
      cuts[number] = plan.widths.weight_bits[i];
  return cuts;
}

Cuts output_cuts(const Problem& problem, const Plan& plan) {
  Cuts cuts;
  int number = 0;
  for (const auto& layer : problem.layers)
    if (layer.weights > 0 && (++number, plan.widths.tensor_bits[layer.output] < 8))
      cuts[number] = plan.widths.tensor_bits[layer.output];
  return cuts;
}

uint64_t total(const Problem& problem, uint64_t PlanLayer::*member) {
  uint64_t sum = 0;
  for (const auto& layer : problem.layers) sum += layer.*member;
  return sum;
}

const Cuts kNone, kWide = {{15, 4}, {17, 4}, {19, 4}, {21, 4}, {25, 4}, {27, 2}, {28, 2}},
                  kLastTwo = {{27, 4}, {28, 4}};

struct Golden {
  uint32_t resolution;
  double width;
  uint64_t macs, weights, peak_at_8, peak_after;
  Cuts outputs, weight_cuts;
  uint64_t bytes_pl, bytes_pc;
};

const Golden kGolden[] = {
    {224, 1.0, 568740352, 4209088, 1204224, 401408,
     {{1, 4}, {2, 4}, {3, 2}, {5, 4}, {6, 4}, {7, 4}}, kWide, 1939504, 1984884},
    {224, 0.75, 325400448, 2568144, 903168, 451584, {{2, 4}, {3, 4}, {6, 4}}, kLastTwo, 1931272,
     1978532},
    {224, 0.5, 149497088, 1319648, 602112, 401408, {{3, 4}}, kNone, 1346248, 1381588},
    {224, 0.25, 41030272, 463600, 301056, 301056, kNone, kNone, 479104, 498180},
    {192, 1.0, 418121728, 4209088, 884736, 442368, {{2, 4}, {3, 4}, {6, 4}}, kWide, 1938088,
     1984884},
    {192, 0.75, 239273472, 2568144, 663552, 442368, {{3, 4}}, kLastTwo, 1930688, 1978532},
    {192, 0.5, 109970432, 1319648, 442368, 442368, kNone, kNone, 1346096, 1381588},
    {192, 0.25, 30212608, 463600, 221184, 221184, kNone, kNone, 479104, 498180},
    {160, 1.0, 290675200, 4209088, 614400, 409600, {{3, 4}}, kWide, 1937304, 1984884},
    {160, 0.75, 166396800, 2568144, 460800, 460800, kNone, kLastTwo, 1930456, 1978532},
    {160, 0.5, 76524800, 1319648, 307200, 307200, kNone, kNone, 1346096, 1381588},
    {160, 0.25, 21059200, 463600, 153600, 153600, kNone, kNone, 479104, 498180},
    {128, 1.0, 186400768, 4209088, 393216, 393216, kNone, kWide, 1936992, 1984884},
    {128, 0.75, 106770432, 2568144, 294912, 294912, kNone, kLastTwo, 1930456, 1978532},
    {128, 0.5, 49160192, 1319648, 196608, 196608, kNone, kNone, 1346096, 1381588},
    {128, 0.25, 13570048, 463600, 98304, 98304, kNone, kNone, 479104, 498180},
};

TEST(RuleSearch, ReproducesAllSixteenNetworks) {
  for (const Golden& golden : kGolden) {
    SCOPED_TRACE(fmt::format("{}_{}", golden.resolution, golden.width));
    const Problem problem = mobilenet(golden.resolution, golden.width);
    EXPECT_EQ(total(problem, &PlanLayer::macs), golden.macs);
    EXPECT_EQ(total(problem, &PlanLayer::weights), golden.weights);
    EXPECT_EQ(peak_activation_bytes(problem, all_at(problem, 8, 8)), golden.peak_at_8);
    for (const Mode mode : {Mode::pl, Mode::pc}) {
      const Plan plan = rule_search(problem, {2048000, 512000}, mode);
      ASSERT_FALSE(plan.shortfall) << explain(problem, plan);
      EXPECT_EQ(peak_activation_bytes(problem, plan.widths), golden.peak_after);
      EXPECT_EQ(output_cuts(problem, plan), golden.outputs);
      EXPECT_EQ(weight_cuts(problem, plan), golden.weight_cuts);
      EXPECT_EQ(paper_bytes(problem, plan.widths, mode),
                mode == Mode::pl ? golden.bytes_pl : golden.bytes_pc);
    }
  }
}

// "2 MB" is 2,048,000: with 2 MiB layer 21 of the 1.0-wide networks stays at 8 bits per-layer.
TEST(RuleSearch, TwoMebibytesLeaveOneMoreLayerAtEightBits) {
  const Problem problem = mobilenet(224, 1.0);
  Cuts expected = kWide;
  expected.erase(21);
  EXPECT_EQ(weight_cuts(problem, rule_search(problem, {2097152, 512000}, Mode::pl)), expected);
}

TEST(RuleSearch, OneMegabyteOfFlash) {
  const Problem wide = mobilenet(224, 1.0);
  for (const Mode mode : {Mode::pl, Mode::pc}) {
    const Plan refused = rule_search(wide, {1024000, 512000}, mode);
    ASSERT_TRUE(refused.shortfall);
    EXPECT_EQ(refused.shortfall->memory, "flash");
    EXPECT_GT(refused.shortfall->needed_bytes, 1024000u);
  }
  const Problem middle = mobilenet(224, 0.75);
  Cuts expected = {{25, 2}, {27, 2}, {28, 2}};
  const Plan pl = rule_search(middle, {1024000, 512000}, Mode::pl);
  for (const int layer : {15, 17, 19, 21, 23}) expected[layer] = 4;
  EXPECT_EQ(weight_cuts(middle, pl), expected);
  EXPECT_EQ(paper_bytes(middle, pl.widths, Mode::pl), 1015384u);
  const Plan pc = rule_search(middle, {1024000, 512000}, Mode::pc);
  for (const int layer : {11, 13}) expected[layer] = 4;
  EXPECT_EQ(weight_cuts(middle, pc), expected);
  EXPECT_EQ(paper_bytes(middle, pc.widths, Mode::pc), 993956u);

  const Problem half = mobilenet(224, 0.5);
  const Plan plan = rule_search(half, {1024000, 512000}, Mode::pc);
  EXPECT_EQ(weight_cuts(half, plan), kLastTwo);
  EXPECT_EQ(paper_bytes(half, plan.widths, Mode::pc), 994516u);
}

TEST(RuleSearch, QuarterMegabyteOfRam) {
  const auto outputs = [](uint32_t resolution, double width) {
    const Problem problem = mobilenet(resolution, width);
    const Plan plan = rule_search(problem, {2048000, 256000}, Mode::pc);
    EXPECT_FALSE(plan.shortfall);
    EXPECT_LE(peak_activation_bytes(problem, plan.widths), 256000u);
    return output_cuts(problem, plan);
  };
  EXPECT_EQ(outputs(224, 0.75), (Cuts{{1, 2}, {2, 2}, {3, 2}, {4, 4}, {5, 4}, {6, 2}, {7, 4},
                                      {10, 4}}));
  EXPECT_EQ(outputs(224, 0.5), kGolden[0].outputs);
  EXPECT_EQ(outputs(192, 0.5), (Cuts{{1, 4}, {2, 4}, {3, 4}, {6, 4}}));
  EXPECT_EQ(outputs(160, 0.5), (Cuts{{3, 4}}));
  EXPECT_EQ(outputs(128, 1.0), (Cuts{{2, 4}, {3, 4}, {6, 4}}));
  const Problem half = mobilenet(192, 0.5);
  EXPECT_EQ(peak_activation_bytes(half, rule_search(half, {2048000, 256000}, Mode::pc).widths),
            221184u);
}

TEST(RuleSearch, RefusalNamesTheLayerAndTheMissingBytes) {
  const Problem problem = mobilenet(224, 1.0);
  const Plan plan = rule_search(problem, {2048000, 256000}, Mode::pc);
  ASSERT_TRUE(plan.shortfall);
  const Shortfall& shortfall = *plan.shortfall;
  EXPECT_EQ(shortfall.memory, "RAM");
  EXPECT_EQ(shortfall.limit_bytes, 256000u);
  // Independently: what no width assignment can bring under the limit.
  EXPECT_EQ(shortfall.needed_bytes, activation_bytes(problem, plan.widths, shortfall.layer));
  EXPECT_GT(activation_bytes(problem, all_at(problem, 2, 8), shortfall.layer), 256000u);
  const std::string text = explain(problem, plan);
  EXPECT_THAT(text, HasSubstr(problem.layers[shortfall.layer].name));
  EXPECT_THAT(text, HasSubstr(fmt::format("{} B short", shortfall.needed_bytes - 256000)));
}

TEST(RuleSearch, LeastWidthIsKept) {
  const Problem problem = mobilenet(224, 1.0);
  const Plan plan = rule_search(problem, {2048000, 512000, 4, 4}, Mode::pc);
  for (const uint8_t bits : plan.widths.tensor_bits) EXPECT_GE(bits, 4);
  for (size_t i = 0; i < problem.layers.size(); ++i)
    EXPECT_TRUE(problem.layers[i].weights == 0 || plan.widths.weight_bits[i] >= 4);
  // 2 MB of 4-bit weights alone are 2,104,544 B.
  EXPECT_TRUE(plan.shortfall);
}

// Sizes that the paper's table prints for 224_1.0 in MiB.
TEST(PaperBytes, UniformNetworksOfThePaper) {
  const Problem problem = mobilenet(224, 1.0);
  const auto mib = [&](uint8_t activations, uint8_t weights, Flavour flavour) {
    return static_cast<double>(
               paper_bytes(problem, all_at(problem, activations, weights), flavour)) /
           (1 << 20);
  };
  EXPECT_NEAR(mib(8, 8, Flavour::pl_fb), 4.060, 5e-4);
  EXPECT_NEAR(mib(4, 4, Flavour::pl_fb), 2.053, 5e-4);
  EXPECT_NEAR(mib(4, 4, Flavour::pl_icn), 2.105, 5e-4);
  EXPECT_NEAR(mib(4, 4, Flavour::pc_icn), 2.118, 5e-4);
  EXPECT_NEAR(mib(4, 4, Flavour::pc_thresholds), 2.35, 2e-2);
}

}  // namespace
}  // namespace mcusim::plan
