// SPDX-License-Identifier: MIT
// A rule-made network must not collapse: every layer output uses its levels and
// seldom saturates, also on inputs that the calibration never saw.
#include "quant/zoo/rule_net.h"

#include <gtest/gtest.h>

#include "kernels/host/host_executor.h"
#include "memmap/base/error.h"
#include "quant/pack/place.h"
#include "quant/plan/rule_search.h"
#include "quant/quantise/accumulate.h"
#include "quant/zoo/zoo.h"

namespace mcusim::zoo {
namespace {

struct Case {
  const char* family;
  double width;
  uint32_t resolution;
  plan::Limits limits;
  plan::Mode mode;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.family << " " << c.resolution << "_" << c.width << " in " << c.limits.flash_bytes << " + "
       << c.limits.ram_bytes << (c.mode == plan::Mode::pl ? " pl" : " pc");
}

class RuleNet : public testing::TestWithParam<Case> {};

TEST_P(RuleNet, UsesItsLevelsAndSeldomSaturates) {
  const Case& c = GetParam();
  const auto graph = family(c.family).build(c.width, c.resolution);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto plan = plan::rule_search(problem, c.limits, c.mode);
  ASSERT_FALSE(plan.shortfall) << plan::explain(problem, plan);
  const IntNet net = rule_net(graph, layers, problem, plan.widths, c.mode, 1);
  ASSERT_EQ(net.ops.size(), layers.layers.size());
  for (const uint64_t seed : {uint64_t{2}, uint64_t{3}}) {
    const auto values = quantise::run_icn(net, seeded_input(net, seed));
    for (const IntOp& op : net.ops) {
      const uint8_t bits = net.tensors[op.out].bits;
      const LevelUse use = level_use(values[op.out], bits);
      EXPECT_GE(use.levels, bits == 8 ? 64u : bits == 4 ? 12u : 3u) << op.name;
      EXPECT_LT(use.saturated, 0.30) << op.name << " at " << int{bits} << " bits";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, RuleNet,
    testing::Values(Case{"mobilenet_v1", 0.25, 128, {2048000, 512000}, plan::Mode::pc},
                    Case{"mobilenet_v1", 0.25, 128, {200000, 60000}, plan::Mode::pc},
                    Case{"mobilenet_v1", 0.25, 128, {200000, 60000}, plan::Mode::pl},
                    Case{"mobilenet_v1", 0.5, 160, {1024000, 128000}, plan::Mode::pc},
                    Case{"mobilenet_v1", 0.75, 224, {2048000, 512000}, plan::Mode::pc},
                    Case{"mobilenet_v1", 1.0, 224, {2048000, 512000}, plan::Mode::pl},
                    Case{"mobilenet_v2", 0.35, 96, {900000, 120000}, plan::Mode::pc},
                    Case{"mobilenet_v2", 0.35, 96, {900000, 120000}, plan::Mode::pl},
                    Case{"mnasnet_a1", 0.5, 96, {1500000, 150000}, plan::Mode::pc}));

// The fast evaluation that calibrates, against the container run by the kernels.
TEST(RuleNetMaker, CalibrationSeesWhatTheKernelsCompute) {
  for (const char* name : {"mobilenet_v1", "mobilenet_v2"}) {
    const auto graph = family(name).build(0.25, 64);
    const auto layers = graph::fuse(graph);
    const auto problem = plan::problem_of(graph, layers);
    for (const uint8_t bits : {8, 4, 2})
      for (const auto mode : {plan::Mode::pl, plan::Mode::pc}) {
        IntNet net = rule_net(graph, layers, problem, plan::all_at(problem, bits, bits), mode, 4);
        place_tensors(net);
        HostExecutor executor(encode(net));
        const auto input = seeded_input(net, 9);
        const auto values = quantise::run_icn(net, input);
        executor.write_tensor(net.inputs[0], input);
        executor.run([&](size_t op) {
          const int out = net.ops[op].out;
          ASSERT_EQ(values[out], executor.read_tensor(out)) << net.ops[op].name;
        });
      }
  }
}

// The budget of the papers, with 40 kB of the flash left for the program.
TEST(RuleNetMaker, PapersNetworksFitTheirBoard) {
  for (const auto& [width, resolution] : {std::pair{0.75, 224u}, std::pair{0.5, 192u}}) {
    const auto graph = mobilenet_v1(width, resolution);
    const auto layers = graph::fuse(graph);
    const auto problem = plan::problem_of(graph, layers);
    const auto plan = plan::rule_search(problem, {2048000, 512000}, plan::Mode::pc);
    IntNet net = rule_net(graph, layers, problem, plan.widths, plan::Mode::pc, 1);
    place_tensors(net);
    EXPECT_EQ(net.arena_bytes, plan::peak_activation_bytes(problem, plan.widths));
    EXPECT_LE(encode(net).size(), 2048000u - 40960u);
  }
}

TEST(RuleNetMaker, SameSeedSameNetworkOtherSeedOtherNetwork) {
  const auto graph = mobilenet_v1(0.25, 32);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto widths = plan::all_at(problem, 4, 4);
  const auto make = [&](uint64_t seed) {
    return rule_net(graph, layers, problem, widths, plan::Mode::pc, seed);
  };
  const IntNet a = make(1), b = make(1), other = make(2);
  EXPECT_EQ(a.ops[5].weights, b.ops[5].weights);
  EXPECT_EQ(a.ops.back().bias, b.ops.back().bias);
  EXPECT_NE(a.ops[5].weights, other.ops[5].weights);
}

TEST(LevelUse, CountsLevelsAndEnds) {
  const LevelUse use = level_use({0, 3, 3, 1, 2, 2, 2, 2}, 2);
  EXPECT_EQ(use.levels, 4u);
  EXPECT_DOUBLE_EQ(use.saturated, 3.0 / 8);
}

}  // namespace
}  // namespace mcusim::zoo
