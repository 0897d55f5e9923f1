// SPDX-License-Identifier: MIT
#include "quant/import/tflite_float.h"

#include <algorithm>
#include <limits>

#include "memmap/base/error.h"
#include "quant/graph/simplify.h"
#include "quant/import/tflite_float_importer.h"

namespace mcusim::import {
namespace {

using graph::Kind;
using Reals = TfliteFloatImporter::Reals;

void set_window(TfliteFloatImporter& in, graph::Node& node, tflite::Padding padding, int32_t kernel_h,
                int32_t kernel_w, int32_t stride_h, int32_t stride_w, uint32_t channels) {
  const TfliteWindow y = tflite_window(in.at(node.in0).h, kernel_h, stride_h, padding, "height");
  const TfliteWindow x = tflite_window(in.at(node.in0).w, kernel_w, stride_w, padding, "width");
  node.kernel_h = static_cast<uint32_t>(kernel_h);
  node.kernel_w = static_cast<uint32_t>(kernel_w);
  node.stride_h = static_cast<uint32_t>(stride_h);
  node.stride_w = static_cast<uint32_t>(stride_w);
  node.pad_top = y.before;
  node.pad_bottom = y.after;
  node.pad_left = x.before;
  node.pad_right = x.after;
  in.expect_shape(node, y.out, x.out, channels);
}

const std::vector<uint32_t>& shape_of(const TfliteFloatImporter& in, const TfliteOp& op, size_t i,
                                      size_t rank) {
  if (op.input(i) < 0) throw Error("weights are missing");
  const auto& shape = in.tensor(op.input(i)).shape;
  if (shape.size() != rank) throw Error("weights of {} axes, expected {}", shape.size(), rank);
  for (const uint32_t n : shape)
    if (n > net::kMaxDim) throw Error("weights with dimension {}", n);
  return shape;
}

void set_bias(const TfliteFloatImporter& in, const TfliteOp& op, graph::Node& node, uint32_t channels) {
  if (op.input(2) < 0) return;
  node.bias = in.constant(op.input(2), "biases");
  if (node.bias.size() != channels)
    throw Error("{} biases for {} channels", node.bias.size(), channels);
}

void no_dilation(int32_t h, int32_t w) {
  if (h != 1 || w != 1) throw Error("dilation {}x{} is not supported", h, w);
}

void conv2d(TfliteFloatImporter& in, const TfliteOp& op) {
  const auto* options = op.raw->options_as_Conv2D();
  if (!options) throw Error("has no convolution options");
  no_dilation(options->dilation_h(), options->dilation_w());
  const auto& shape = shape_of(in, op, 1, 4);
  const int x = in.input(op, 0);
  const uint32_t groups = in.at(x).c / shape[3];
  if (groups * shape[3] != in.at(x).c || shape[0] % groups != 0)
    throw Error("{} filters of {} input channels, input has {}", shape[0], shape[3], in.at(x).c);
  auto& node = in.append(op, Kind::conv, x);
  node.groups = groups;
  node.weights = in.constant(op.input(1), "weights");
  set_bias(in, op, node, shape[0]);
  set_window(in, node, options->padding(), static_cast<int32_t>(shape[1]),
             static_cast<int32_t>(shape[2]), options->stride_h(), options->stride_w(), shape[0]);
  in.activate(op, options->activation());
}

void depthwise(TfliteFloatImporter& in, const TfliteOp& op) {
  const auto* options = op.raw->options_as_DepthwiseConv2D();
  if (!options) throw Error("has no depthwise options");
  no_dilation(options->dilation_h(), options->dilation_w());
  const auto& shape = shape_of(in, op, 1, 4);
  const int x = in.input(op, 0);
  const uint32_t channels = shape[3];
  if (shape[0] != 1 || channels % in.at(x).c != 0)
    throw Error("{} output channels from {} input channels", channels, in.at(x).c);
  auto& node = in.append(op, Kind::conv, x);
  node.groups = in.at(x).c;
  const Reals taps_first = in.constant(op.input(1), "weights");
  const size_t taps = taps_first.size() / channels;
  node.weights.resize(taps_first.size());
  for (size_t i = 0; i < taps_first.size(); ++i)
    node.weights[i] = taps_first[i % taps * channels + i / taps];
  set_bias(in, op, node, channels);
  set_window(in, node, options->padding(), static_cast<int32_t>(shape[1]),
             static_cast<int32_t>(shape[2]), options->stride_h(), options->stride_w(), channels);
  in.activate(op, options->activation());
}

void fully_connected(TfliteFloatImporter& in, const TfliteOp& op) {
  const auto* options = op.raw->options_as_FullyConnected();
  if (options && options->weights_format() != 0) throw Error("shuffled weights are not supported");
  const auto& shape = shape_of(in, op, 1, 2);
  const int x = in.input(op, 0);
  if (in.at(x).elements() != shape[1])
    throw Error("weights for {} inputs, input has {}", shape[1], in.at(x).elements());
  auto& node = in.append(op, Kind::fully_connected, x);
  node.weights = in.constant(op.input(1), "weights");
  set_bias(in, op, node, shape[0]);
  in.expect_shape(node, 1, 1, shape[0]);
  if (options) in.activate(op, options->activation());
}

void pool(TfliteFloatImporter& in, const TfliteOp& op, Kind kind) {
  const auto* options = op.raw->options_as_Pool2D();
  if (!options) throw Error("has no pooling options");
  const int x = in.input(op, 0);
  const uint32_t channels = in.at(x).c;
  auto& node = in.append(op, kind, x);
  set_window(in, node, options->padding(), options->filter_h(), options->filter_w(),
             options->stride_h(), options->stride_w(), channels);
  in.activate(op, options->activation());
}
void max_pool(TfliteFloatImporter& in, const TfliteOp& op) { pool(in, op, Kind::max_pool); }
void average_pool(TfliteFloatImporter& in, const TfliteOp& op) { pool(in, op, Kind::avg_pool); }

void mean(TfliteFloatImporter& in, const TfliteOp& op) {
  const int x = in.input(op, 0);
  if (op.input(1) < 0) throw Error("axes are missing");
  const auto rank = static_cast<int64_t>(in.tensor(op.input(0)).shape.size());
  auto axes = tflite_integers(in.tensor(op.input(1)));
  for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  if (rank != 4 || axes != std::vector<int64_t>{1, 2})
    throw Error("only a mean over height and width of 4 axes is a pool");
  const graph::Value from = in.at(x);
  auto& node = in.append(op, Kind::avg_pool, x);
  node.kernel_h = from.h;
  node.kernel_w = from.w;
  in.expect_shape(node, 1, 1, from.c);
}

// y = scale * x + offset per channel, as a batch norm that nothing is left of.
void affine(TfliteFloatImporter& in, const TfliteOp& op, size_t side, bool multiplies, float sign) {
  const int x = in.input(op, 1 - side);
  const uint32_t channels = in.at(x).c;
  Reals operand = in.constant(op.input(side), "operand");
  if (operand.size() == 1) operand.assign(channels, operand[0]);
  if (operand.size() != channels || in.tensor(op.input(side)).elements != operand.size())
    throw Error("a constant operand of {} values on {} channels", operand.size(), channels);
  const graph::Value from = in.at(x);
  auto& node = in.append(op, Kind::batch_norm, x);
  for (auto& value : operand) value *= sign;
  node.gamma = multiplies ? operand : Reals(channels, 1.0f);
  node.beta = multiplies ? Reals(channels, 0.0f) : operand;
  node.mean.assign(channels, 0);
  node.variance.assign(channels, 1);
  node.epsilon = 0;
  in.expect_shape(node, from.h, from.w, from.c);
}

template <typename Options>
void activate_with(TfliteFloatImporter& in, const TfliteOp& op, const Options* options) {
  if (options) in.activate(op, options->activation());
}

void add(TfliteFloatImporter& in, const TfliteOp& op) {
  const size_t side = in.is_constant(op.input(0)) ? 0 : 1;
  if (in.is_constant(op.input(side))) {
    affine(in, op, side, false, 1);
  } else {
    const int a = in.input(op, 0), b = in.input(op, 1);
    const graph::Value first = in.at(a), second = in.at(b);
    if (first.h != second.h || first.w != second.w || first.c != second.c)
      throw Error("inputs of different shapes (broadcasting)");
    auto& node = in.append(op, Kind::add, a);
    node.in1 = b;
    in.expect_shape(node, first.h, first.w, first.c);
  }
  activate_with(in, op, op.raw->options_as_Add());
}
void multiply(TfliteFloatImporter& in, const TfliteOp& op) {
  affine(in, op, in.is_constant(op.input(0)) ? 0 : 1, true, 1);
  activate_with(in, op, op.raw->options_as_mul());
}
void subtract(TfliteFloatImporter& in, const TfliteOp& op) {
  affine(in, op, 1, false, -1);
  activate_with(in, op, op.raw->options_as_sub());
}

void clamp(TfliteFloatImporter& in, const TfliteOp& op, float low, float high) {
  const int x = in.input(op, 0);
  const graph::Value from = in.at(x);
  auto& node = in.append(op, Kind::clamp, x);
  node.low = low;
  node.high = high;
  in.expect_shape(node, from.h, from.w, from.c);
}
void relu(TfliteFloatImporter& in, const TfliteOp& op) {
  clamp(in, op, 0, std::numeric_limits<float>::infinity());
}
void relu6(TfliteFloatImporter& in, const TfliteOp& op) { clamp(in, op, 0, 6); }
void relu1(TfliteFloatImporter& in, const TfliteOp& op) { clamp(in, op, -1, 1); }

void pad(TfliteFloatImporter& in, const TfliteOp& op) {
  const int x = in.input(op, 0);
  const TflitePadding amounts =
      tflite_padding(in.model, op, in.tensor(op.input(0)).shape.size());
  const graph::Value from = in.at(x);
  auto& node = in.append(op, Kind::pad, x);
  node.pad_top = amounts.top;
  node.pad_bottom = amounts.bottom;
  node.pad_left = amounts.left;
  node.pad_right = amounts.right;
  in.expect_shape(node, from.h + node.pad_top + node.pad_bottom,
                  from.w + node.pad_left + node.pad_right, from.c);
}

void reshape(TfliteFloatImporter& in, const TfliteOp& op) {
  const int x = in.input(op, 0), out = op.outputs[0];
  const graph::Value from = in.at(x);
  const Shape3 to = tflite_shape(in.tensor(out));
  if (in.tensor(out).elements != from.elements())
    throw Error("{} elements from {}", in.tensor(out).elements, from.elements());
  // Elements keep their order, so whoever reads them in order needs no copy.
  const auto& readers = in.readers(out);
  const bool order_alone = !readers.empty() && std::all_of(readers.begin(), readers.end(), [](auto* r) {
    return r->code == 9;  // FULLY_CONNECTED
  });
  if (to == Shape3{from.h, from.w, from.c} || (order_alone && !in.is_output(out)))
    in.set_output(op, x);
  else
    in.append(op, Kind::flatten, x);
}

void softmax(TfliteFloatImporter& in, const TfliteOp& op) {
  const int x = in.input(op, 0);
  const graph::Value from = in.at(x);
  if (from.h * from.w != 1) throw Error("not over the channels of a vector");
  auto& node = in.append(op, Kind::softmax, x);
  in.expect_shape(node, 1, 1, from.c);
}

void dequantize(TfliteFloatImporter& in, const TfliteOp& op) {
  if (!in.is_constant(op.input(0))) throw Error("dequantisation inside the network");
  in.set_constant(op.outputs[0], in.constant(op.input(0), "values"));
}

struct HandlerRow {
  int code;  // public operator number
  void (*handler)(TfliteFloatImporter&, const TfliteOp&);
};
constexpr HandlerRow kHandlers[] = {
    {0, add},       {1, average_pool}, {3, conv2d},   {4, depthwise}, {6, dequantize},
    {9, fully_connected}, {17, max_pool}, {18, multiply}, {19, relu}, {20, relu1},
    {21, relu6},    {22, reshape},     {25, softmax}, {34, pad},      {40, mean},
    {41, subtract}, {43, reshape}};

void import_operator(TfliteFloatImporter& in, const TfliteOp& op) {
  const auto row = std::find_if(std::begin(kHandlers), std::end(kHandlers),
                                [&](const HandlerRow& known) { return known.code == op.code; });
  if (row == std::end(kHandlers)) throw Error("this operator is not supported");
  if (op.outputs.size() != 1 || op.inputs.empty())
    throw Error("{} inputs and {} outputs", op.inputs.size(), op.outputs.size());
  row->handler(in, op);
}

}  // namespace

bool is_float_tflite(std::vector<uint8_t> file, const std::string& name) {
  const TfliteModel model(std::move(file), name);
  return std::any_of(model.ops.begin(), model.ops.end(), [&](const TfliteOp& op) {
    const bool weighted = op.code == 3 || op.code == 4 || op.code == 9;
    return weighted && op.input(0) >= 0 &&
           model.tensors[static_cast<size_t>(op.input(0))].type == tflite::TensorType::float32;
  });
}

graph::Graph import_float_tflite(std::vector<uint8_t> file, const std::string& name) {
  const TfliteModel model(std::move(file), name);
  std::vector<std::string> refusals;
  try {
    TfliteFloatImporter in(model);
    if (model.inputs.size() != 1) throw Error("{} inputs (must be one)", model.inputs.size());
    for (const auto& op : model.ops) {
      try {
        if (!in.reads_refused(op)) {
          import_operator(in, op);
          continue;
        }
      } catch (const Error& error) {
        refusals.push_back(
            fmt::format("operator {} {}: {}", op.index, tflite_operator_name(op), error.what()));
      }
      in.refuse(op);
    }
    if (!refusals.empty())
      throw Error("{} of {} operators cannot be imported: {}", refusals.size(), model.ops.size(),
                  fmt::join(refusals, "; "));
    for (const int id : model.outputs) {
      const int value = in.value_of(id);
      if (value < 0 || value == in.graph.inputs[0])
        throw Error("output {} is not the result of an operator", in.short_name(id));
      in.graph.outputs.push_back(value);
    }
    in.graph.name = tflite_network_name(name);
    graph::simplify(in.graph);
    return std::move(in.graph);
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
}

}  // namespace mcusim::import
