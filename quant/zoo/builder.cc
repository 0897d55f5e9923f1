// SPDX-License-Identifier: MIT
#include "quant/zoo/builder.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::zoo {

using graph::Kind;

Builder::Builder(std::string name, uint32_t resolution, uint32_t channels) {
  graph_.name = std::move(name);
  graph_.inputs = {graph_.add_value("input", resolution, resolution, channels)};
}

graph::Node& Builder::append(Kind kind, const std::string& name, int in, uint32_t h, uint32_t w,
                             uint32_t c) {
  graph::Node node;
  node.name = name;
  node.kind = kind;
  node.in0 = in;
  node.out = graph_.add_value(name, h, w, c);
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back();
}

int Builder::conv(const std::string& name, int in, uint32_t channels, uint32_t kernel,
                  uint32_t stride, uint32_t groups, bool linear) {
  const graph::Value x = graph_.values[in];
  const uint32_t h = (x.h + stride - 1) / stride, w = (x.w + stride - 1) / stride;
  const auto total_pad = [&](uint32_t extent, uint32_t out) {
    return (out - 1) * stride + kernel > extent ? (out - 1) * stride + kernel - extent : 0;
  };
  auto& node = append(Kind::conv, name, in, h, w, channels);
  node.kernel_h = node.kernel_w = kernel;
  node.stride_h = node.stride_w = stride;
  node.groups = groups == 0 ? x.c : groups;
  node.pad_top = total_pad(x.h, h) / 2;
  node.pad_bottom = total_pad(x.h, h) - node.pad_top;
  node.pad_left = total_pad(x.w, w) / 2;
  node.pad_right = total_pad(x.w, w) - node.pad_left;
  int out = node.out;
  auto& norm = append(Kind::batch_norm, name + ".bn", out, h, w, channels);
  norm.epsilon = 1e-3f;
  out = norm.out;
  if (linear) return out;
  auto& relu = append(Kind::clamp, name + ".relu6", out, h, w, channels);
  relu.low = 0;
  relu.high = 6;
  return relu.out;
}

int Builder::add(const std::string& name, int in0, int in1) {
  const graph::Value x = graph_.values[in0];
  auto& node = append(Kind::add, name, in0, x.h, x.w, x.c);
  node.in1 = in1;
  return node.out;
}

int Builder::global_average(const std::string& name, int in) {
  const graph::Value x = graph_.values[in];
  auto& node = append(Kind::avg_pool, name, in, 1, 1, x.c);
  node.kernel_h = x.h;
  node.kernel_w = x.w;
  return node.out;
}

int Builder::fully_connected(const std::string& name, int in, uint32_t channels) {
  return append(Kind::fully_connected, name, in, 1, 1, channels).out;
}

graph::Graph Builder::finish(int output) {
  graph_.outputs = {output};
  return std::move(graph_);
}

uint32_t scaled_channels(uint32_t channels, double width) {
  return std::max<uint32_t>(1, static_cast<uint32_t>(std::floor(channels * width)));
}

std::string network_name(const std::string& family, double width, uint32_t resolution) {
  std::string factor = fmt::format("{}", width);
  if (factor.find('.') == factor.npos) factor += ".0";
  return fmt::format("{}_{}_{}", family, resolution, factor);
}

}  // namespace mcusim::zoo
