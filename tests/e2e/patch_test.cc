// SPDX-License-Identifier: MIT
// Patch-based execution on the target: 20 random networks, layer-based and in tiles
// side by side in an image, print the same outputs, and they are the host's.
#include "quant/patch/patch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "memmap/base/process.h"
#include "quant/pack/place.h"
#include "quant/patch/stage.h"
#include "sim/image/image.h"
#include "tests/e2e/firmware.h"
#include "tests/support/spatial_net.h"

namespace mcusim {
namespace {

using testing::Random;

// Behind what `all` holds in the arena, so that tensors of one network still share
// bytes with each other.
void append_placed(IntNet& all, const IntNet& part) {
  const int first = static_cast<int>(all.tensors.size());
  const uint32_t base = (all.arena_bytes + 7) / 8 * 8;
  for (IntTensor tensor : part.tensors) {
    if (tensor.parent >= 0) tensor.parent += first;
    else tensor.arena_offset += base;
    all.tensors.push_back(std::move(tensor));
  }
  for (IntOp op : part.ops) {
    op.in0 += first;
    op.out += first;
    if (op.in1 >= 0) op.in1 += first;
    all.ops.push_back(std::move(op));
  }
  for (const int id : part.inputs) all.inputs.push_back(id + first);
  for (const int id : part.outputs) all.outputs.push_back(id + first);
  all.arena_bytes = base + part.arena_bytes;
}

TEST(PatchOnTarget, TwentyNetworksEqualTheirLayerBasedForm) {
  const Board board = load_board("stm32h743");
  const TemporaryDirectory directory;
  constexpr uint64_t kNetworks = 20, kPerImage = 5;
  for (uint64_t first = 0; first < kNetworks; first += kPerImage) {
    IntNet all;
    all.name = "patches";
    ImageOptions options;
    options.dump_outputs = true;
    std::string expected;
    for (uint64_t i = first; i < first + kPerImage; ++i) {
      Random random(200 + i);
      IntNet net = testing::random_spatial_net(random);
      const auto blocks = patch::blocks_of(net);
      ASSERT_FALSE(blocks.empty());
      const auto n = static_cast<uint32_t>(random.in(1, static_cast<int64_t>(blocks.size())));
      const IntTensor& out = net.tensors[blocks[n - 1].output];
      patch::Patched tiles = patch::patched(
          net, {std::min(out.h, 3u), std::min(out.w, static_cast<uint32_t>(random.in(1, 4))), n});
      place_tensors(net);
      place_tensors(tiles.net);
      const auto input = testing::random_values(net.tensors[net.inputs[0]], random);
      const std::string line = testing::host_dump(encode(net), input);
      for (const IntNet* part : {&net, &tiles.net}) {
        append_placed(all, *part);
        options.input.insert(options.input.end(), input.begin(), input.end());
        expected += line;
      }
    }
    const std::string elf = directory.file("fw.elf");
    build_image(encode(all), board, options, elf);
    const auto run = testing::run_machine(board, elf);
    ASSERT_EQ(run.result.reason, EndReason::exited) << run.result.message;
    EXPECT_EQ(run.console, expected);
  }
}

}  // namespace
}  // namespace mcusim
