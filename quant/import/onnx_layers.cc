// SPDX-License-Identifier: MIT
// ONNX operators that compute over windows or products: convolutions, pools,
// fully connected layers.
#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"
#include "quant/import/onnx_graph.h"

namespace mcusim::import {
namespace {

using graph::Kind;
using onnx_file::Node;

// Reads kernel, strides and padding into `to` and sets its output's extent.
void read_window(Importer& importer, const Node& node, const View& in,
                 const std::vector<int64_t>& kernel, graph::Node& to) {
  const graph::Value from = importer.value(in);
  const auto strides = node.integers("strides", {1, 1});
  const auto dilations = node.integers("dilations", {1, 1});
  auto pads = node.integers("pads", {0, 0, 0, 0});
  if (kernel.size() != 2 || strides.size() != 2 || pads.size() != 4 || dilations.size() != 2)
    throw Unsupported{"not a two-dimensional window"};
  if (dilations[0] != 1 || dilations[1] != 1) throw Unsupported{"dilation"};
  if (node.integer("ceil_mode", 0) != 0) throw Unsupported{"ceil_mode"};
  to.kernel_h = dimension(kernel[0], "a kernel extent");
  to.kernel_w = dimension(kernel[1], "a kernel extent");
  to.stride_h = dimension(strides[0], "a stride");
  to.stride_w = dimension(strides[1], "a stride");
  const std::string automatic = node.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const uint32_t extents[] = {from.h, from.w}, sizes[] = {to.kernel_h, to.kernel_w},
                   steps[] = {to.stride_h, to.stride_w};
    for (int axis = 0; axis < 2; ++axis) {
      const int64_t out = (extents[axis] + steps[axis] - 1) / steps[axis];
      const int64_t total =
          std::max<int64_t>(0, (out - 1) * steps[axis] + sizes[axis] - extents[axis]);
      pads[axis] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[axis + 2] = total - pads[axis];
    }
  } else if (automatic == "VALID") {
    pads = {0, 0, 0, 0};
  } else if (automatic != "NOTSET") {
    throw Unsupported{"auto_pad " + automatic};
  }
  for (const int64_t pad : pads)
    if (pad < 0 || pad > 65535) throw Unsupported{fmt::format("a padding of {}", pad)};
  to.pad_top = static_cast<uint32_t>(pads[0]);
  to.pad_left = static_cast<uint32_t>(pads[1]);
  to.pad_bottom = static_cast<uint32_t>(pads[2]);
  to.pad_right = static_cast<uint32_t>(pads[3]);
  auto& out = importer.graph.values[to.out];
  out.h = dimension(graph::window_extent(node.name, from.h, to.kernel_h, to.stride_h, to.pad_top,
                                         to.pad_bottom), "an output extent");
  out.w = dimension(graph::window_extent(node.name, from.w, to.kernel_w, to.stride_w, to.pad_left,
                                         to.pad_right), "an output extent");
}

void read_bias(Importer& importer, const Node& node, uint32_t channels, float factor,
               graph::Node& to) {
  if (!node.has_input(2)) return;
  to.bias = importer.need_constant(node, 2, "bias").as_reals();
  if (to.bias.size() == 1) to.bias.assign(channels, to.bias[0]);
  if (to.bias.size() != channels)
    throw Unsupported{fmt::format("{} biases for {} channels", to.bias.size(), channels)};
  for (auto& b : to.bias) b *= factor;
}

void conv(Importer& importer, const Node& node) {
  const View in = importer.spatial(node, 0);
  const uint32_t channels = importer.value(in).c;
  const auto& w = importer.need_constant(node, 1, "weights");
  if (w.dims.size() != 4) throw Unsupported{"not a two-dimensional convolution"};
  const uint32_t co = dimension(w.dims[0], "output channels");
  const uint32_t groups = dimension(node.integer("group", 1), "a group count");
  const uint32_t ci = dimension(w.dims[1], "input channels of a group");
  if (uint64_t{ci} * groups != channels || co % groups != 0)
    throw Unsupported{fmt::format("weights of {} groups of {} channels on {} channels", groups, ci,
                                  channels)};
  const std::vector<int64_t> kernel = {w.dims[2], w.dims[3]};
  if (node.integers("kernel_shape", kernel) != kernel)
    throw Unsupported{"kernel_shape differs from the weights"};
  auto& to = importer.append(Kind::conv, node, in, 1, 1, co, Form::nchw);
  to.groups = groups;
  read_window(importer, node, in, kernel, to);
  const auto values = w.as_reals();
  to.weights.resize(values.size());
  const size_t taps = size_t{to.kernel_h} * to.kernel_w;
  for (size_t o = 0; o < co; ++o)
    for (size_t i = 0; i < ci; ++i)
      for (size_t t = 0; t < taps; ++t)
        to.weights[(o * taps + t) * ci + i] = values[(o * ci + i) * taps + t];
  read_bias(importer, node, co, 1, to);
}

void pool(Importer& importer, const Node& node, Kind kind) {
  const View in = importer.spatial(node, 0);
  auto& to = importer.append(kind, node, in, 1, 1, importer.value(in).c, Form::nchw);
  to.count_padding = node.integer("count_include_pad", 0) != 0;
  read_window(importer, node, in, node.integers("kernel_shape", {}), to);
  if (node.integer("storage_order", 0) != 0) throw Unsupported{"storage_order"};
}
void max_pool(Importer& importer, const Node& node) { pool(importer, node, Kind::max_pool); }
void average_pool(Importer& importer, const Node& node) { pool(importer, node, Kind::avg_pool); }

void global_pool(Importer& importer, const Node& node, const View& in, Kind kind, Form form) {
  const graph::Value from = importer.value(in);
  auto& to = importer.append(kind, node, in, 1, 1, from.c, form);
  to.kernel_h = from.h;
  to.kernel_w = from.w;
}
void global_average(Importer& importer, const Node& node) {
  global_pool(importer, node, importer.spatial(node, 0), Kind::avg_pool, Form::nchw);
}
void global_max(Importer& importer, const Node& node) {
  global_pool(importer, node, importer.spatial(node, 0), Kind::max_pool, Form::nchw);
}

void reduce_mean(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  auto axes = node.integers("axes", {});
  for (auto& axis : axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes.begin(), axes.end());
  const bool whole = (in.form == Form::nchw && axes == std::vector<int64_t>{2, 3}) ||
                     (in.form == Form::nhwc && axes == std::vector<int64_t>{1, 2});
  if (!whole) throw Unsupported{"only a mean over height and width is a pool"};
  const bool keeps = node.integer("keepdims", 1) != 0;
  global_pool(importer, node, in, Kind::avg_pool, keeps ? in.form : Form::flat_hwc);
}

// Weights [n][k] in the exporter's order of a flattened input to [n][h*w*c].
void fully_connected(Importer& importer, const Node& node, bool transposed, float alpha,
                     float beta) {
  const View in = importer.activation(node, 0);
  const graph::Value from = importer.value(in);
  if (in.form == Form::nchw || in.form == Form::nhwc)
    throw Unsupported{"its input has four dimensions (flatten it first)"};
  const auto& w = importer.need_constant(node, 1, "weights");
  if (w.dims.size() != 2) throw Unsupported{"its weights are not a matrix"};
  const uint32_t n = dimension(w.dims[transposed ? 0 : 1], "output channels");
  const auto k = static_cast<uint64_t>(w.dims[transposed ? 1 : 0]);
  if (k != from.elements())
    throw Unsupported{fmt::format("weights for {} inputs on {}", k, from.elements())};
  const auto values = w.as_reals();
  auto& to = importer.append(Kind::fully_connected, node, in, 1, 1, n, Form::flat_hwc);
  to.weights.resize(values.size());
  const size_t area = size_t{from.h} * from.w;
  for (size_t o = 0; o < n; ++o)
    for (size_t i = 0; i < k; ++i) {
      // i counts as the exporter does; its cell and channel place it here.
      const size_t at = in.form == Form::flat_chw ? i % area * from.c + i / area : i;
      to.weights[o * k + at] = alpha * (transposed ? values[o * k + i] : values[i * n + o]);
    }
  read_bias(importer, node, n, beta, to);
}

void gemm(Importer& importer, const Node& node) {
  if (node.integer("transA", 0) != 0) throw Unsupported{"transA"};
  fully_connected(importer, node, node.integer("transB", 0) != 0, node.real("alpha", 1),
                  node.real("beta", 1));
}
void matmul(Importer& importer, const Node& node) { fully_connected(importer, node, false, 1, 1); }

}  // namespace

std::vector<OperatorRow> layer_operators() {
  return {
      {"Conv", conv},
      {"MaxPool", max_pool},
      {"AveragePool", average_pool},
      {"GlobalAveragePool", global_average},
      {"GlobalMaxPool", global_max},
      {"ReduceMean", reduce_mean},
      {"Gemm", gemm},
      {"MatMul", matmul},
  };
}

}  // namespace mcusim::import
