// SPDX-License-Identifier: MIT
// Networks of inverted residual blocks: expand, depthwise, project, and add the
// input where shapes allow. One table per network.
#include <algorithm>

#include "memmap/base/error.h"
#include "quant/zoo/builder.h"
#include "quant/zoo/zoo.h"

namespace mcusim::zoo {
namespace {

// `repeat` blocks of `channels` outputs, the first with `stride`.
struct Stage {
  uint32_t expansion, channels, repeat, stride, kernel;
};

// The nearest multiple of 8 that is not more than a tenth below (both papers' code).
uint32_t divisible(double channels) {
  const auto rounded = std::max<uint32_t>(8, static_cast<uint32_t>(channels + 4) / 8 * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

struct Plan {
  const char* family;
  uint32_t stem;             // channels of the first convolution
  uint32_t separable;        // channels of a depthwise-separable block behind it, 0 without
  std::vector<Stage> stages;
  uint32_t head;             // channels of the last convolution
  bool head_grows_only;      // the head is not narrowed
};

graph::Graph build(const Plan& plan, double width, uint32_t resolution) {
  Builder builder(network_name(plan.family, width, resolution), resolution, 3);
  uint32_t channels = divisible(plan.stem * width);
  int x = builder.conv("stem", builder.input(), channels, 3, 2);
  if (plan.separable) {
    x = builder.conv("sep.dw", x, channels, 3, 1, 0);
    channels = divisible(plan.separable * width);
    x = builder.conv("sep.pw", x, channels, 1, 1, 1, true);
  }
  int number = 0;
  for (const Stage& stage : plan.stages)
    for (uint32_t i = 0; i < stage.repeat; ++i) {
      const std::string name = fmt::format("B{}", ++number);
      const uint32_t stride = i == 0 ? stage.stride : 1;
      const uint32_t wide = channels * stage.expansion, out = divisible(stage.channels * width);
      int y = x;
      if (stage.expansion != 1) y = builder.conv(name + ".expand", y, wide, 1, 1);
      y = builder.conv(name + ".dw", y, wide, stage.kernel, stride, 0);
      y = builder.conv(name + ".project", y, out, 1, 1, 1, true);
      x = stride == 1 && channels == out ? builder.add(name + ".add", x, y) : y;
      channels = out;
    }
  const double head_width = plan.head_grows_only ? std::max(1.0, width) : width;
  x = builder.conv("head", x, divisible(plan.head * head_width), 1, 1);
  x = builder.global_average("pool", x);
  return builder.finish(builder.fully_connected("classifier", x, 1000));
}

}  // namespace

graph::Graph mobilenet_v2(double width, uint32_t resolution) {
  return build({"mobilenet_v2", 32, 0,
                {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3}, {6, 32, 3, 2, 3}, {6, 64, 4, 2, 3},
                 {6, 96, 3, 1, 3}, {6, 160, 3, 2, 3}, {6, 320, 1, 1, 3}},
                1280, true},
               width, resolution);
}

graph::Graph mnasnet_a1(double width, uint32_t resolution) {
  return build({"mnasnet_a1", 32, 16,
                {{6, 24, 2, 2, 3}, {3, 40, 3, 2, 5}, {6, 80, 4, 2, 3}, {6, 112, 2, 1, 3},
                 {6, 160, 3, 2, 5}, {6, 320, 1, 1, 3}},
                1280, true},
               width, resolution);
}

graph::Graph mnasnet_b1(double width, uint32_t resolution) {
  return build({"mnasnet_b1", 32, 16,
                {{3, 24, 3, 2, 3}, {3, 40, 3, 2, 5}, {6, 80, 3, 2, 5}, {6, 96, 2, 1, 3},
                 {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}},
                1280, true},
               width, resolution);
}

}  // namespace mcusim::zoo
