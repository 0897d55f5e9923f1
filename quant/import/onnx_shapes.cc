// SPDX-License-Identifier: MIT
// ONNX operators that work element by element or only rename axes.
#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"
#include "quant/import/onnx_graph.h"

namespace mcusim::import {
namespace {

using graph::Kind;
using onnx_file::Node;

graph::Node& like_input(Importer& importer, const Node& node, const View& in, Kind kind) {
  const graph::Value from = importer.value(in);
  return importer.append(kind, node, in, from.h, from.w, from.c, in.form);
}

void batch_norm(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  const uint32_t channels = importer.value(in).c;
  if (in.form == Form::nhwc || (in.form != Form::nchw && importer.value(in).elements() != channels))
    throw Unsupported{"its channels are not the second axis"};
  if (node.integer("training_mode", 0) != 0) throw Unsupported{"training_mode"};
  std::vector<float> parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = importer.need_constant(node, i + 1, "parameters").as_reals();
    if (parameters[i].size() != channels)
      throw Unsupported{fmt::format("{} parameters for {} channels", parameters[i].size(), channels)};
  }
  const float epsilon = node.real("epsilon", 1e-5f);
  for (const float variance : parameters[3])
    if (!(variance + epsilon > 0)) throw Unsupported{fmt::format("a variance of {}", variance)};
  auto& to = like_input(importer, node, in, Kind::batch_norm);
  to.gamma = std::move(parameters[0]);
  to.beta = std::move(parameters[1]);
  to.mean = std::move(parameters[2]);
  to.variance = std::move(parameters[3]);
  to.epsilon = epsilon;
}

// y = scale * x + offset per channel: into the bias of a sole producer, a batch
// norm before it, or a batch norm of its own.
void affine(Importer& importer, const Node& node, const View& in, const std::vector<float>& scale,
            const std::vector<float>& offset) {
  const bool pure_offset = std::all_of(scale.begin(), scale.end(), [](float s) { return s == 1; });
  auto* producer = importer.sole_producer(node, in);
  if (producer && pure_offset &&
      (producer->kind == Kind::conv || producer->kind == Kind::fully_connected)) {
    producer->bias.resize(offset.size());
    for (size_t c = 0; c < offset.size(); ++c) producer->bias[c] += offset[c];
    return importer.rename(node, in);
  }
  if (producer && producer->kind == Kind::batch_norm) {
    for (size_t c = 0; c < offset.size(); ++c) {
      producer->gamma[c] *= scale[c];
      producer->beta[c] = scale[c] * producer->beta[c] + offset[c];
    }
    return importer.rename(node, in);
  }
  auto& to = like_input(importer, node, in, Kind::batch_norm);
  to.gamma = scale;
  to.beta = offset;
  to.mean.assign(scale.size(), 0);
  to.variance.assign(scale.size(), 1);
  to.epsilon = 0;
}

// A constant operand spread to one value per channel.
std::vector<float> per_channel(Importer& importer, const View& in, const onnx_file::Tensor& from) {
  const graph::Value& x = importer.value(in);
  const auto values = from.as_reals();
  if (values.size() == 1) return std::vector<float>(x.c, values[0]);
  // Trailing axes behind the channel must be 1; in a flat tensor the channel is last.
  size_t trailing = 0;
  while (trailing < from.dims.size() && from.dims[from.dims.size() - 1 - trailing] == 1) ++trailing;
  const bool last = in.form != Form::nchw && (in.form == Form::nhwc || x.elements() == x.c);
  if (values.size() != x.c || trailing != (last ? 0u : 2u))
    throw Unsupported{fmt::format("a constant operand of {} values on {} channels", values.size(),
                                  x.c)};
  return values;
}

void add(Importer& importer, const Node& node) {
  if (node.inputs.size() != 2) throw Unsupported{"must have two inputs"};
  for (const size_t side : {size_t{0}, size_t{1}})
    if (const auto* operand = importer.constant(node, side)) {
      const View in = importer.activation(node, 1 - side);
      const auto offset = per_channel(importer, in, *operand);
      return affine(importer, node, in, std::vector<float>(offset.size(), 1.0f), offset);
    }
  const View a = importer.activation(node, 0), b = importer.activation(node, 1);
  const graph::Value &x = importer.value(a), &y = importer.value(b);
  if (x.h != y.h || x.w != y.w || x.c != y.c || a.form != b.form)
    throw Unsupported{"its inputs differ in shape (broadcasting)"};
  like_input(importer, node, a, Kind::add).in1 = b.value;
}

void scale_by(Importer& importer, const Node& node, bool divide, bool either_side) {
  for (const size_t side : {size_t{1}, size_t{0}}) {
    const auto* operand = importer.constant(node, side);
    if (!operand || (side == 0 && !either_side)) continue;
    const View in = importer.activation(node, 1 - side);
    auto scale = per_channel(importer, in, *operand);
    for (auto& s : scale) s = divide ? 1 / s : s;
    for (const float s : scale)
      if (!std::isfinite(s)) throw Unsupported{"a division by zero"};
    return affine(importer, node, in, scale, std::vector<float>(scale.size(), 0.0f));
  }
  throw Unsupported{"one operand must be a constant"};
}
void multiply(Importer& importer, const Node& node) { scale_by(importer, node, false, true); }
void divide(Importer& importer, const Node& node) { scale_by(importer, node, true, false); }

void subtract(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  auto offset = per_channel(importer, in, importer.need_constant(node, 1, "second operand"));
  for (auto& value : offset) value = -value;
  affine(importer, node, in, std::vector<float>(offset.size(), 1.0f), offset);
}

void relu(Importer& importer, const Node& node) {
  like_input(importer, node, importer.activation(node, 0), Kind::clamp).low = 0;
}

void clip(Importer& importer, const Node& node) {
  const auto bound = [&](size_t input, float fallback) {
    if (!node.has_input(input)) return fallback;
    const auto& constant = importer.need_constant(node, input, "bound");
    if (constant.size() != 1) throw Unsupported{"a bound that is not one number"};
    return constant.as_reals()[0];
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float low = bound(1, -kInfinity), high = bound(2, kInfinity);
  if (!(low < high)) throw Unsupported{fmt::format("a range of {} to {}", low, high)};
  auto& to = like_input(importer, node, importer.activation(node, 0), Kind::clamp);
  to.low = low;
  to.high = high;
}

void softmax(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  const int64_t axis = node.integer("axis", importer.model.opset < 13 ? 1 : -1);
  const bool vector = importer.value(in).h * importer.value(in).w == 1;
  if (!vector || (axis != 1 && !(axis == -1 && in.form != Form::nchw)))
    throw Unsupported{"not over the channels of a vector"};
  like_input(importer, node, in, Kind::softmax);
}

void pad(Importer& importer, const Node& node) {
  const View in = importer.spatial(node, 0);
  if (node.text("mode", "constant") != "constant") throw Unsupported{"mode " + node.text("mode", "")};
  const auto& pads = importer.need_constant(node, 1, "amounts").integers;
  if (pads.size() != 8) throw Unsupported{"not eight amounts"};
  for (const size_t axis : {0, 1, 4, 5})
    if (pads[axis] != 0) throw Unsupported{"padding of batch or channels"};
  for (const int64_t amount : pads)
    if (amount < 0 || amount > 65535) throw Unsupported{fmt::format("an amount of {}", amount)};
  float filler = 0;
  if (node.has_input(2)) {
    const auto values = importer.need_constant(node, 2, "value").as_reals();
    if (values.size() != 1) throw Unsupported{"a value that is not one number"};
    filler = values[0];
  }
  const graph::Value from = importer.value(in);
  auto& to = importer.append(Kind::pad, node, in, dimension(from.h + pads[2] + pads[6], "a height"),
                             dimension(from.w + pads[3] + pads[7], "a width"), from.c, Form::nchw);
  to.pad_top = static_cast<uint32_t>(pads[2]);
  to.pad_left = static_cast<uint32_t>(pads[3]);
  to.pad_bottom = static_cast<uint32_t>(pads[6]);
  to.pad_right = static_cast<uint32_t>(pads[7]);
  to.pad_value = filler;
}

Form flattened(Form form) {
  return form == Form::nchw ? Form::flat_chw : form == Form::nhwc ? Form::flat_hwc : form;
}

void flatten(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  if (node.integer("axis", 1) != 1) throw Unsupported{"only axis 1"};
  importer.rename(node, {in.value, flattened(in.form)});
}

// Only reshapes between N,C,H,W and N,C that keep the order of the elements.
void reshape_to(Importer& importer, const Node& node, const std::vector<int64_t>& rest) {
  const View in = importer.activation(node, 0);
  auto& x = importer.value(in);
  if (rest.size() == 1) return importer.rename(node, {in.value, flattened(in.form)});
  if (rest.size() != 3) throw Unsupported{fmt::format("a shape of {} axes", rest.size() + 1)};
  const uint32_t c = dimension(rest[0], "a dimension"), h = dimension(rest[1], "a dimension"),
                 w = dimension(rest[2], "a dimension");
  if (uint64_t{c} * h * w != x.elements()) throw Unsupported{"another number of elements"};
  const bool same = x.c == c && x.h == h && x.w == w && in.form != Form::nhwc &&
                    (in.form != Form::flat_hwc || h * w == 1);
  // A flat network input may still become a picture when no order is at stake.
  const bool picture = in.value == importer.graph.inputs[0] && x.h * x.w == 1 && c == 1 &&
                       importer.uses.at(node.inputs[0]) == 1;
  if (picture) {
    x.h = h;
    x.w = w;
    x.c = c;
  } else if (!same) {
    throw Unsupported{fmt::format("from {} x {} x {} to {} x {} x {} (h x w x c)", x.h, x.w, x.c, h,
                                  w, c)};
  }
  importer.rename(node, {in.value, Form::nchw});
}

void reshape(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  const graph::Value& x = importer.value(in);
  auto shape = importer.need_constant(node, 1, "shape").integers;
  if (shape.empty() || shape.size() > 4) throw Unsupported{"such a shape"};
  if (shape[0] == 0 || shape[0] == -1) shape[0] = 1;
  if (shape[0] != 1) throw Unsupported{"a reshape of the batch"};
  const bool four = in.form == Form::nchw || in.form == Form::nhwc;
  const int64_t dims[] = {1, four && in.form == Form::nhwc ? x.h : x.c,
                          in.form == Form::nhwc ? x.w : x.h, in.form == Form::nhwc ? x.c : x.w};
  uint64_t known = 1;
  int64_t* free = nullptr;
  for (size_t i = 1; i < shape.size(); ++i) {
    if (shape[i] == 0 && (four || i == 1)) shape[i] = four ? dims[i] : int64_t(x.elements());
    if (shape[i] == -1 && !free) free = &shape[i];
    else known *= dimension(shape[i], "a dimension");
    if (known > x.elements()) throw Unsupported{"another number of elements"};
  }
  if (free) *free = static_cast<int64_t>(x.elements() / known);
  if (known * (free ? static_cast<uint64_t>(*free) : 1) != x.elements())
    throw Unsupported{"another number of elements"};
  reshape_to(importer, node, {shape.begin() + 1, shape.end()});
}

std::vector<int64_t> axes_of(Importer& importer, const Node& node) {
  auto axes = node.has_input(1) ? importer.need_constant(node, 1, "axes").integers
                                : node.integers("axes", {});
  for (auto& axis : axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes.begin(), axes.end());
  return axes;
}

void squeeze(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  const auto axes = axes_of(importer, node);
  const bool cells = importer.value(in).h * importer.value(in).w == 1 &&
                     ((in.form == Form::nchw && axes == std::vector<int64_t>{2, 3}) ||
                      (in.form == Form::nhwc && axes == std::vector<int64_t>{1, 2}));
  if (!cells) throw Unsupported{"only of height and width after a pool"};
  importer.rename(node, {in.value, Form::flat_hwc});
}

void unsqueeze(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  if (importer.value(in).h * importer.value(in).w != 1 || in.form == Form::nchw ||
      axes_of(importer, node) != std::vector<int64_t>{2, 3})
    throw Unsupported{"only of height and width of a vector"};
  importer.rename(node, {in.value, Form::nchw});
}

void transpose(Importer& importer, const Node& node) {
  const View in = importer.activation(node, 0);
  const auto perm = node.integers("perm", {});
  if (in.form == Form::nchw && perm == std::vector<int64_t>{0, 2, 3, 1})
    return importer.rename(node, {in.value, Form::nhwc});
  if (in.form == Form::nhwc && perm == std::vector<int64_t>{0, 3, 1, 2})
    return importer.rename(node, {in.value, Form::nchw});
  throw Unsupported{"only between N,C,H,W and N,H,W,C"};
}

void identity(Importer& importer, const Node& node) {
  if (importer.constant(node, 0))
    importer.model.constants[node.outputs[0]] = *importer.constant(node, 0);
  else
    importer.rename(node, importer.activation(node, 0));
}

void constant(Importer& importer, const Node& node) {
  onnx_file::Tensor& to = importer.model.constants[node.outputs[0]];
  const auto has = [&](const char* name) { return node.attributes.count(name) > 0; };
  if (has("value")) to = node.attributes.at("value").tensor;
  else if (has("value_int")) to = {{}, "int64", {}, {node.integer("value_int", 0)}};
  else if (has("value_ints")) to.integers = node.integers("value_ints", {});
  else if (has("value_float")) to = {{}, "float", {node.real("value_float", 0)}, {}};
  else throw Unsupported{"only with a tensor or numbers as value"};
  if (has("value_ints")) {
    to.type = "int64";
    to.dims = {static_cast<int64_t>(to.integers.size())};
  }
}

}  // namespace

std::vector<OperatorRow> shape_operators() {
  return {
      {"BatchNormalization", batch_norm}, {"Relu", relu},
      {"Clip", clip},                     {"Add", add},
      {"Mul", multiply},                  {"Div", divide},
      {"Sub", subtract},                  {"Softmax", softmax},
      {"Pad", pad},                       {"Flatten", flatten},
      {"Reshape", reshape},               {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},           {"Transpose", transpose},
      {"Identity", identity},             {"Dropout", identity},
      {"Constant", constant},
  };
}

}  // namespace mcusim::import
