// SPDX-License-Identifier: MIT
#include "memmap/base/error.h"
#include "quant/zoo/builder.h"
#include "quant/zoo/zoo.h"

namespace mcusim::zoo {

graph::Graph mobilenet_v1(double width, uint32_t resolution) {
  // Output channels and stride of each depthwise-separable block.
  static constexpr struct { uint32_t channels, stride; } kBlocks[] = {
      {64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
      {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  Builder builder(network_name("mobilenet_v1", width, resolution), resolution, 3);
  int number = 1;
  uint32_t channels = scaled_channels(32, width);
  int x = builder.conv("L1", builder.input(), channels, 3, 2);
  for (const auto& block : kBlocks) {
    x = builder.conv(fmt::format("L{}", ++number), x, channels, 3, block.stride, 0);
    channels = scaled_channels(block.channels, width);
    x = builder.conv(fmt::format("L{}", ++number), x, channels, 1, 1);
  }
  x = builder.global_average("pool", x);
  return builder.finish(builder.fully_connected("L28", x, 1000));
}

}  // namespace mcusim::zoo
