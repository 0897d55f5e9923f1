// SPDX-License-Identifier: MIT
// QuantMCU's parts against independent oracles: formats and requantisation, patch
// classes on made images, widths and their accounting.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "quant/pack/place.h"
#include "quant/patch/narrow.h"
#include "quant/patch/plan_file.h"
#include "quant/patch/vdqs.h"
#include "quant/plan/problem.h"
#include "quant/zoo/random.h"
#include "quant/zoo/rule_net.h"
#include "quant/zoo/zoo.h"
#include "tests/support/run_both.h"
#include "tests/support/spatial_net.h"

namespace mcusim::patch {
namespace {

using ::testing::HasSubstr;
using mcusim::testing::Random;
using mcusim::testing::Values;

Histogram uniform(int first, int last) {
  Histogram h{};
  for (int v = first; v <= last; ++v) h[static_cast<size_t>(v)] = 10;
  return h;
}

TEST(QuantMcu, EntropyOfUniformValuesIsTheirBits) {
  EXPECT_DOUBLE_EQ(entropy_bits(uniform(0, 255)), 8);
  EXPECT_DOUBLE_EQ(entropy_bits(uniform(64, 79)), 4);
  EXPECT_DOUBLE_EQ(entropy_bits(uniform(7, 7)), 0);
}

TEST(QuantMcu, FormatsFitTheValues) {
  const Format even = fit_format(uniform(0, 255), 0, 4);
  EXPECT_NEAR(even.step, 17, 1);
  EXPECT_EQ(even.zero_point, 0);
  // A far outlier does not stretch the range over the bulk.
  Histogram bulk = uniform(100, 131);
  for (int v = 100; v <= 131; ++v) bulk[static_cast<size_t>(v)] = 10000;
  bulk[255] = 1;
  EXPECT_LT(fit_format(bulk, 116, 4).step, 4);
  // Signed values around an inner zero point keep it inside.
  const Format inner = fit_format(uniform(0, 255), 128, 2);
  EXPECT_GT(inner.zero_point, 0);
  EXPECT_LT(inner.zero_point, 3);
}

// Random operators include factors of every size; those of real networks.
bool has_usual_factors(const IntOp& op) {
  const auto usual = [](int32_t mult, int8_t shift) {
    const double factor = std::fabs(std::ldexp(mult, shift - 31));
    return factor > 1e-7 && factor < 10;
  };
  for (size_t i = 0; i < op.mult.size(); ++i)
    if (!usual(op.mult[i], op.shift[i])) return false;
  if (op.kind == net::OpKind::avg_pool)
    return usual(op.scalar_mult[0], op.scalar_shift[0]);
  const bool icn_add = op.kind == net::OpKind::add && op.contract == net::Contract::icn_floor;
  return !icn_add || (usual(op.scalar_mult[0], op.scalar_shift[2]) &&
                      usual(op.scalar_mult[1], op.scalar_shift[2]));
}

// Outputs narrowed alone: the 8-bit output rounded to the new step, one step off at
// most where a value was rounded twice.
TEST(QuantMcu, NarrowOutputsAreTheOldOnesRounded) {
  uint64_t equal = 0, all = 0;
  for (const net::Family family : {net::Family::conv, net::Family::depthwise, net::Family::pointwise,
                                   net::Family::avg_pool, net::Family::add})
    for (const auto contract : {net::Contract::icn_floor, net::Contract::tflite})
      for (uint64_t seed = 0; seed < 40; ++seed) {
        const bool weighted = family != net::Family::avg_pool && family != net::Family::add;
        const RowKey key{family, 8, static_cast<uint8_t>(weighted ? 8 : 0), 8, contract};
        if (!find_row(key)) continue;
        Random random(seed);
        IntNet net = testing::random_op(key, random, {.small = true});
        IntOp& op = net.ops[0];
        if (op.act_min != 0 || op.act_max != 255 || !has_usual_factors(op)) continue;
        if (contract == net::Contract::icn_floor && family == net::Family::add) op.half_step = true;
        if (contract == net::Contract::icn_floor && family == net::Family::avg_pool) op.half_step = true;
        std::vector<Format> formats;
        const auto group = format_groups(net);
        for (size_t id = 0; id < net.tensors.size(); ++id)
          formats.push_back(group[id] == group[static_cast<size_t>(op.out)]
                                ? Format{4, 17, std::min(15, net.tensors[id].zero_point / 17)}
                                : Format{8, 1, net.tensors[id].zero_point});
        const IntNet narrow = narrowed(net, formats);
        auto inputs = testing::random_inputs(net, random);
        const auto before = reference::run(net, inputs)[op.out];
        for (size_t i = 0; i < inputs.size(); ++i)
          if (narrow.tensors[net.inputs[i]].bits == 4)
            for (uint8_t& v : inputs[i]) v &= 15;
        const auto after = reference::run(narrow, inputs)[op.out];
        const int32_t zero = net.tensors[op.out].zero_point;
        const Format& f = formats[static_cast<size_t>(op.out)];
        for (size_t i = 0; i < after.size(); ++i) {
          // Saturated outputs may lie anywhere beyond.
          if (before[i] == 0 || before[i] == 255) continue;
          const double expected = std::clamp((before[i] - zero) / f.step + f.zero_point, 0.0, 15.0);
          EXPECT_LE(std::fabs(after[i] - expected), 0.5 + 1 / f.step + 1e-9)
              << narrow.ops[0].name << " seed " << seed;
          equal += after[i] == std::nearbyint(expected);
          ++all;
        }
      }
  EXPECT_GT(all, 2000u);
  EXPECT_GT(equal, all * 95 / 100);
}

// Inputs on the new grid: the same accumulators, so the same outputs but for the
// rounding of the bias.
TEST(QuantMcu, NarrowInputsGiveTheSameOutputs) {
  uint64_t equal = 0, all = 0;
  for (uint64_t seed = 0; seed < 80; ++seed) {
    Random random(seed);
    const RowKey key{seed % 2 ? net::Family::conv : net::Family::depthwise, 8, 8, 8,
                     net::Contract::icn_floor};
    const IntNet net = testing::random_op(key, random, {.small = true});
    const IntOp& op = net.ops[0];
    const auto group = format_groups(net);
    const int in_group = group[static_cast<size_t>(op.in0)];
    const int32_t zero = net.tensors[op.in0].zero_point;
    if (zero % 17 != 0 || !has_usual_factors(op)) continue;
    std::vector<Format> formats;
    for (size_t id = 0; id < net.tensors.size(); ++id)
      formats.push_back(group[id] == in_group ? Format{4, 17, zero / 17}
                                              : Format{8, 1, net.tensors[id].zero_point});
    const IntNet narrow = narrowed(net, formats);
    auto inputs = testing::random_inputs(net, random), small = inputs;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (group[static_cast<size_t>(net.inputs[i])] == in_group)
        for (size_t k = 0; k < inputs[i].size(); ++k) {
          small[i][k] = inputs[i][k] / 17;
          inputs[i][k] = static_cast<uint8_t>(small[i][k] * 17);
        }
    const auto before = reference::run(net, inputs)[op.out], after = reference::run(narrow, small)[op.out];
    for (size_t i = 0; i < after.size(); ++i) equal += std::abs(before[i] - after[i]) <= 1;
    all += after.size();
  }
  EXPECT_GT(all, 500u);
  EXPECT_GT(equal, all * 95 / 100);
}

// A grey field with noise, and one bright spot.
std::vector<uint8_t> image(uint32_t side, uint32_t spot_y, uint32_t spot_x, uint64_t seed) {
  zoo::Random random(seed);
  std::vector<uint8_t> pixels(size_t{side} * side * 3);
  for (uint32_t y = 0; y < side; ++y)
    for (uint32_t x = 0; x < side; ++x)
      for (uint32_t c = 0; c < 3; ++c) {
        const bool spot = y / 12 == spot_y && x / 12 == spot_x;
        const int32_t noise = random.integer(-12, 12) + random.integer(-12, 12);
        pixels[(size_t{y} * side + x) * 3 + c] =
            static_cast<uint8_t>(spot ? 250 : 110 + noise + static_cast<int32_t>(x) / 2);
      }
  return pixels;
}

struct Case {
  IntNet net;
  Patched tiles;
  Observed observed;
  std::vector<PatchClass> classes;
};

Case made_case() {
  const auto graph = zoo::mobilenet_v2(0.35, 96);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  Case s;
  s.net = zoo::rule_net(graph, layers, problem, plan::all_at(problem, 8, 8), plan::Mode::pc, 1);
  place_tensors(s.net);
  s.tiles = patched(s.net, {4, 4, 5});
  place_tensors(s.tiles.net);
  s.observed = observe(s.tiles, {image(96, 0, 0, 1), image(96, 0, 0, 2)}, 2);
  s.classes = classify(s.observed, 0.96, 0.04);
  return s;
}

TEST(QuantMcu, OnlyTilesThatReadTheSpotAreOutliers) {
  const Case s = made_case();
  ASSERT_EQ(s.classes.size(), 16u);
  for (size_t t = 0; t < 16; ++t) {
    // Tiles of 24 input cells a side, with halos of 21 or so around them.
    const bool reads_spot = t / 4 == 0 && t % 4 == 0;
    const bool may_read = t / 4 <= 1 && t % 4 <= 1;
    EXPECT_TRUE(s.classes[t].outlier || !reads_spot) << t;
    EXPECT_TRUE(!s.classes[t].outlier || may_read) << t;
  }
  // The paper's wording, any outlier at all, takes at least as many.
  const auto any = classify(s.observed, 0.96, 0);
  for (size_t t = 0; t < 16; ++t) EXPECT_GE(any[t].outlier, s.classes[t].outlier);
}

TEST(QuantMcu, OutlierBranchesKeepEightBitsAndBitOpsHalve) {
  const Case s = made_case();
  const Assignment found = assign(s.tiles, s.observed, s.classes, {});
  IntNet narrow = narrowed(s.tiles.net, found.formats);
  place_tensors(narrow);
  EXPECT_NO_THROW(encode(narrow));
  size_t narrowed_maps = 0, outlier_maps = 0;
  uint64_t sum = 0, sum8 = 0;
  for (size_t i = 0; i < narrow.ops.size(); ++i) {
    const IntOp& op = narrow.ops[i];
    const int tile = s.tiles.tile_of[i];
    const bool outlier = tile >= 0 && s.classes[static_cast<size_t>(tile)].outlier;
    if (outlier) {
      EXPECT_EQ(narrow.tensors[op.in0].bits, 8) << op.name;
      EXPECT_EQ(narrow.tensors[op.out].bits, 8) << op.name;
      EXPECT_EQ(op.mult, s.tiles.net.ops[i].mult) << op.name;
      ++outlier_maps;
    } else {
      narrowed_maps += narrow.tensors[op.out].bits < 8;
    }
    sum += macs(narrow, op) * op.weight_bits * narrow.tensors[op.in0].bits;
    sum8 += macs(narrow, op) * op.weight_bits * 8;
  }
  EXPECT_GT(outlier_maps, 0u);
  EXPECT_GT(narrowed_maps, 0u);
  EXPECT_EQ(found.bitops, sum);
  EXPECT_EQ(found.bitops_8, sum8);
  EXPECT_GE(sum8, 2 * sum);
  EXPECT_EQ(narrow.tensors[s.tiles.stage_output].bits, 8);

  uint64_t before = 0;
  for (const double lambda : {0.0, 0.3, 0.5, 0.7, 1.0}) {
    VdqsOptions options;
    options.lambda = lambda;
    const uint64_t now = assign(s.tiles, s.observed, s.classes, options).bitops;
    EXPECT_GE(now, before) << "entropy weighs more at lambda " << lambda;
    before = now;
  }
  EXPECT_EQ(before, found.bitops_8) << "entropy alone changes nothing";
}

TEST(QuantMcu, TheMemoryLimitHolds) {
  const Case s = made_case();
  VdqsOptions options;
  options.lambda = 1;
  const auto arena_at = [&](uint64_t ram) {
    options.ram_bytes = ram;
    IntNet narrow = narrowed(s.tiles.net, assign(s.tiles, s.observed, s.classes, options).formats);
    place_tensors(narrow);
    return narrow.arena_bytes;
  };
  const uint64_t whole = s.tiles.net.arena_bytes;
  EXPECT_EQ(arena_at(whole), whole);
  EXPECT_LE(arena_at(whole - 2000), whole - 2000);
  EXPECT_THROW(arena_at(20000), Error);
  options = {};
  options.reduction = 3.99;
  EXPECT_THROW(assign(s.tiles, s.observed, s.classes, options), Error);
}

TEST(QuantMcu, PlanFilesAreAppliedAndWrongOnesRefused) {
  const Case s = made_case();
  const Assignment found = assign(s.tiles, s.observed, s.classes, {});
  Plan plan{{4, 4, 5}, changes(s.tiles.net, found.formats)};
  IntNet from_plan = apply(s.net, plan), direct = narrowed(s.tiles.net, found.formats);
  place_tensors(from_plan);
  place_tensors(direct);
  EXPECT_EQ(encode(from_plan), encode(direct));

  const auto message = [&](const std::string& text) -> std::string {
    try {
      apply(s.net, parse_plan(text, "p.json"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const std::string head = R"({"patch": "4x4@5", "formats": [)";
  EXPECT_THAT(message("[]"), HasSubstr("not a patch plan"));
  EXPECT_THAT(message(R"({"patch": "4x4"})"), HasSubstr("p.json: patch: '4x4'"));
  EXPECT_THAT(message(R"({"patch": "4x4@5", "formats": 3})"), HasSubstr("not a list"));
  EXPECT_THAT(message(head + "{}]}"), HasSubstr("formats[0]"));
  const auto row = [&](int id, const std::string& name, int bits, double step, int zero) {
    return head + fmt::format(R"({{"id":{},"tensor":"{}","bits":{},"step":{},"zero_point":{}}}]}})", id,
                              name, bits, step, zero);
  };
  EXPECT_THAT(message(row(0, "x", 5, 1, 0)), HasSubstr("bits: 5"));
  EXPECT_THAT(message(row(0, "x", 4, 0, 0)), HasSubstr("step: 0"));
  EXPECT_THAT(message(row(0, "x", 4, 17, 16)), HasSubstr("zero_point: 16"));
  EXPECT_THAT(message(row(99999, "x", 4, 17, 0)), HasSubstr("tensor 99999"));
  const int input = s.tiles.net.inputs[0];
  EXPECT_THAT(message(row(input, s.tiles.net.tensors[input].name, 4, 17, 0)), HasSubstr("keep its width"));
}

}  // namespace
}  // namespace mcusim::patch
