// SPDX-License-Identifier: MIT
// Stages of tiles: published geometry and costs of MobileNetV2, tiles against an
// oracle that marks needed cells one by one, and equality with the layer-based network.
#include "quant/patch/patch.h"

#include <gmock/gmock.h>

#include <set>

#include "memmap/base/bytes.h"
#include "memmap/base/error.h"
#include "quant/pack/place.h"
#include "quant/patch/cost.h"
#include "quant/patch/stage.h"
#include "quant/patch/tiles.h"
#include "quant/quantise/structure.h"
#include "quant/zoo/zoo.h"
#include "tests/support/run_both.h"
#include "tests/support/spatial_net.h"

namespace mcusim::patch {
namespace {

using ::testing::HasSubstr;
using mcusim::testing::Random;
using mcusim::testing::Values;

IntNet structure(const graph::Graph& graph) {
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  IntNet net = quantise::structure_of(graph, layers, problem, plan::all_at(problem, 8, 8));
  place_tensors(net);
  return net;
}

// MCUNetV2 (Lin et al., arXiv 2110.15352): figure 1 and section 3.1.
TEST(Patch, MobileNetV2HasThePublishedGeometryAndCosts) {
  const IntNet net = structure(zoo::mobilenet_v2(1.0, 224));
  const auto blocks = blocks_of(net);
  ASSERT_GE(blocks.size(), 5u);
  EXPECT_EQ(net.ops[blocks[4].op_count - 1].name, "B4.project");
  const Cost cost = cost_of(net, {4, 4, 5});
  EXPECT_EQ(cost.output_h, 28u);
  EXPECT_EQ(cost.input_h, 75u);
  EXPECT_EQ(cost.input_w, 75u);
  EXPECT_EQ(cost.published_before_bytes, 1372u * 1024);
  EXPECT_EQ((cost.published_bytes + 1023) / 1024, 172u);
  // 42 % more with every tile at its full size; 330 M instead of 301 M, 10 %, with
  // border tiles cut.
  EXPECT_NEAR(cost.stage_full_overhead(), 0.42, 0.005);
  EXPECT_NEAR(cost.total_overhead(), 0.10, 0.01);
  EXPECT_NEAR(static_cast<double>(cost.total_macs), 330e6, 2e6);
  EXPECT_LT(cost.stage_overhead(), cost.stage_full_overhead());
  EXPECT_LT(cost.arena_bytes, cost.arena_before_bytes / 4);
}

TEST(Patch, BlocksKeepDepthwiseAndPointwiseTogether) {
  const IntNet net = structure(zoo::mobilenet_v1(1.0, 224));
  const auto blocks = blocks_of(net);
  ASSERT_GE(blocks.size(), 3u);
  EXPECT_EQ(net.ops[blocks[0].op_count - 1].name, "L1");
  EXPECT_EQ(net.ops[blocks[1].op_count - 1].name, "L3");
  EXPECT_EQ(net.ops[blocks[2].op_count - 1].name, "L5");
}

// Which cells of each tensor the marked cells of the last output depend on.
std::vector<std::set<std::pair<int64_t, int64_t>>> needed_cells(const IntNet& net, size_t ops,
                                                                const Region& output) {
  std::vector<std::set<std::pair<int64_t, int64_t>>> cells(net.tensors.size());
  for (int64_t y = output.y.first; y < output.y.last; ++y)
    for (int64_t x = output.x.first; x < output.x.last; ++x)
      cells[net.ops[ops - 1].out].insert({y, x});
  for (size_t i = ops; i-- > 0;) {
    const IntOp& op = net.ops[i];
    const IntTensor& in = net.tensors[op.in0];
    for (const auto& [y, x] : cells[op.out])
      for (uint32_t ky = 0; ky < op.kernel_h; ++ky)
        for (uint32_t kx = 0; kx < op.kernel_w; ++kx) {
          const int64_t iy = y * op.stride_h + ky - op.pad_top;
          const int64_t ix = x * op.stride_w + kx - op.pad_left;
          if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
          cells[op.in0].insert({iy, ix});
          if (op.in1 >= 0) cells[op.in1].insert({iy, ix});
        }
  }
  return cells;
}

TEST(Patch, TilesHoldEveryNeededCellAndNoRowTooMany) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const IntNet net = testing::random_spatial_net(random);
    for (const Block& block : blocks_of(net)) {
      const IntTensor& out = net.tensors[block.output];
      const auto regions = split(out, std::min(out.h, 3u), std::min(out.w, 2u));
      int64_t covered = 0;
      for (const Region& region : regions) {
        covered += region.cells();
        const Tile tile = make_tile(net, block.op_count, region, Edge::cut);
        const auto needed = needed_cells(net, block.op_count, region);
        bool pads = false;
        for (size_t i = 0; i < block.op_count; ++i) pads |= net.ops[i].kind == net::OpKind::pad;
        for (size_t id = 0; id < net.tensors.size(); ++id) {
          if (needed[id].empty()) continue;
          Region box{{INT64_MAX, 0}, {INT64_MAX, 0}};
          for (const auto& [y, x] : needed[id]) {
            box.y = {std::min(box.y.first, y), std::max(box.y.last, y + 1)};
            box.x = {std::min(box.x.first, x), std::max(box.x.last, x + 1)};
          }
          const Region& made = tile.computed[id];
          EXPECT_LE(made.y.first, box.y.first);
          EXPECT_GE(made.y.last, box.y.last);
          EXPECT_LE(made.x.first, box.x.first);
          EXPECT_GE(made.x.last, box.x.last);
          if (!pads) {
            EXPECT_LE(made.cells(), box.cells() + 0) << "seed " << seed << " tensor " << id;
          }
        }
      }
      EXPECT_EQ(covered, int64_t{out.h} * out.w);
    }
  }
}

Values output_of(const IntNet& net, const Values& input) {
  HostExecutor executor(encode(net));
  executor.write_tensor(net.inputs[0], input);
  executor.run();
  return executor.read_tensor(net.outputs[0]);
}

TEST(Patch, PatchBasedOutputEqualsLayerBasedOutput) {
  int compared = 0, uneven = 0, varied = 0;
  for (uint64_t seed = 100; seed < 120; ++seed) {
    Random random(seed);
    IntNet net = testing::random_spatial_net(random);
    place_tensors(net);
    const auto blocks = blocks_of(net);
    ASSERT_FALSE(blocks.empty()) << seed;
    const auto input = testing::random_values(net.tensors[net.inputs[0]], random);
    const auto whole = reference::run(net, {input});
    const Values expected = output_of(net, input);
    for (uint32_t n = 1; n <= blocks.size(); ++n) {
      const IntTensor& out = net.tensors[blocks[n - 1].output];
      const Choice choice{static_cast<uint32_t>(random.in(1, std::min(out.h, 4u))),
                          static_cast<uint32_t>(random.in(1, std::min(out.w, 4u))), n};
      uneven += out.h % choice.rows != 0 || out.w % choice.columns != 0;
      Patched tiles = patched(net, choice);
      place_tensors(tiles.net);
      SCOPED_TRACE("seed " + std::to_string(seed) + " " + format_choice(choice));
      EXPECT_EQ(output_of(tiles.net, input), expected);
      const auto& stage = whole[blocks[n - 1].output];
      varied += std::set<uint8_t>(stage.begin(), stage.end()).size() > 2;
      const auto twin = reference::run(tiles.net, {input});
      EXPECT_EQ(twin[tiles.stage_output], stage);
      EXPECT_EQ(twin[tiles.net.outputs[0]], expected);
      ++compared;
    }
  }
  EXPECT_GE(compared, 40);
  EXPECT_GE(varied, compared / 2) << "networks that collapse prove nothing";
  EXPECT_GE(uneven, 10) << "tile counts that do not divide";
}

TEST(Patch, WeightsAreStoredOnce) {
  const auto blob_bytes = [](IntNet net) {
    place_tensors(net);
    const auto file = encode(net);
    const auto header = ByteReader(file, "net.bin").at<net::Header>(0);
    return header.blobs_bytes;
  };
  Random random(7);
  const IntNet net = testing::random_spatial_net(random);
  const auto blocks = blocks_of(net);
  EXPECT_EQ(blob_bytes(patched(net, {2, 2, 1}).net), blob_bytes(net));
}

TEST(Patch, RefusesWhatDoesNotExist) {
  const IntNet net = structure(zoo::mobilenet_v1(0.25, 128));
  const auto message = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const char* text : {"", "4x4", "4@5", "0x4@5", "4x4@0", "4x4@5x", "-1x4@5", "4x4@99999999999"})
    EXPECT_THAT(message([&] { parse_choice(text); }), HasSubstr("ROWSxCOLUMNS@BLOCKS")) << text;
  EXPECT_EQ(parse_choice("4x3@5"), (Choice{4, 3, 5}));
  EXPECT_THAT(message([&] { patched(net, {2, 2, 99}); }), HasSubstr("99 blocks"));
  EXPECT_THAT(message([&] { patched(net, {65, 2, 1}); }), HasSubstr("65x2 tiles"));
  EXPECT_THAT(message([&] { patched(patched(net, {2, 2, 1}).net, {2, 2, 1}); }), HasSubstr("has 0"));
}

}  // namespace
}  // namespace mcusim::patch
