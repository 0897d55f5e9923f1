// SPDX-License-Identifier: MIT
#include "quant/import/tflite_float_importer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "memmap/base/error.h"

namespace mcusim::import {
namespace {

using Reals = TfliteFloatImporter::Reals;

constexpr uint64_t kMaxElements = uint64_t{1} << 26;  // of one activation

float half_to_float(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  float value = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                : exponent == 31 ? (fraction ? NAN : INFINITY)
                                 : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return half & 0x8000 ? -value : value;
}

void dequantise(const TfliteTensor& from, Reals& reals) {
  if (from.scales.empty()) throw Error("int8 constant without a scale");
  size_t inner = 1;
  const auto axis = static_cast<size_t>(from.quantized_dimension);
  const bool per_axis = from.scales.size() > 1;
  if (per_axis && (from.quantized_dimension < 0 || axis >= from.shape.size() ||
                   from.shape[axis] != from.scales.size()))
    throw Error("{} scales along axis {}", from.scales.size(), from.quantized_dimension);
  for (size_t a = axis + 1; per_axis && a < from.shape.size(); ++a) inner *= from.shape[a];
  for (size_t i = 0; i < reals.size(); ++i) {
    const size_t s = per_axis ? i / inner % from.scales.size() : 0;
    reals[i] = from.scales[s] * static_cast<float>(static_cast<int8_t>(from.data[i]) -
                                                   from.zero_points[s]);
  }
}

}  // namespace

TfliteFloatImporter::TfliteFloatImporter(const TfliteModel& from)
    : model(from),
      values_(from.tensors.size(), -1),
      refused_(from.tensors.size()),
      constants_(from.tensors.size()),
      readers_(from.tensors.size()),
      prefix_(tflite_shared_prefix(from)) {
  for (const auto& op : from.ops)
    for (const int id : op.inputs)
      if (id >= 0) readers_[static_cast<size_t>(id)].push_back(&op);
  for (const int id : from.inputs) {
    graph.inputs.push_back(add_value(id));
    values_[static_cast<size_t>(id)] = graph.inputs.back();
  }
}

bool TfliteFloatImporter::is_output(int id) const {
  return std::find(model.outputs.begin(), model.outputs.end(), id) != model.outputs.end();
}

int TfliteFloatImporter::add_value(int id) {
  if (tensor(id).type != tflite::TensorType::float32)
    throw Error("tensor {} ({}) is {}, expected float32", id, short_name(id),
                tflite_type_name(tensor(id).type));
  const Shape3 shape = tflite_shape(tensor(id));
  if (uint64_t{shape.h} * shape.w * shape.c > kMaxElements)
    throw Error("tensor {} ({}) is too large", id, short_name(id));
  return graph.add_value(short_name(id), shape.h, shape.w, shape.c);
}

int TfliteFloatImporter::input(const TfliteOp& op, size_t i) const {
  const int id = op.input(i);
  if (id < 0) throw Error("input {} is missing", i);
  if (is_constant(id)) throw Error("input {} is a constant", i);
  const int value = value_of(id);
  if (value < 0) throw Error("reads tensor {} ({}) before anything writes it", id, short_name(id));
  return value;
}

void TfliteFloatImporter::set_output(const TfliteOp& op, int value) {
  int& place = values_[static_cast<size_t>(op.outputs[0])];
  if (place >= 0) throw Error("writes tensor {} a second time", op.outputs[0]);
  place = value;
}

bool TfliteFloatImporter::reads_refused(const TfliteOp& op) const {
  return std::any_of(op.inputs.begin(), op.inputs.end(),
                     [&](int id) { return id >= 0 && refused_[static_cast<size_t>(id)]; });
}

void TfliteFloatImporter::refuse(const TfliteOp& op) {
  for (const int id : op.outputs) refused_[static_cast<size_t>(id)] = true;
}

Reals TfliteFloatImporter::constant(int id, const char* role) const {
  if (id < 0 || !is_constant(id)) throw Error("its {} must be a constant", role);
  if (const auto& known = constants_[static_cast<size_t>(id)]) return *known;
  const TfliteTensor& from = tensor(id);
  if (from.sparse) throw Error("its {} are sparse", role);
  Reals reals(from.elements);
  switch (from.type) {
    case tflite::TensorType::float32:
      std::memcpy(reals.data(), from.data.data(), reals.size() * sizeof(float));
      break;
    case tflite::TensorType::float16:
      for (size_t i = 0; i < reals.size(); ++i)
        reals[i] = half_to_float(static_cast<uint16_t>(from.data[2 * i] | from.data[2 * i + 1] << 8));
      break;
    case tflite::TensorType::int8: dequantise(from, reals); break;
    default: throw Error("its {} are {}", role, tflite_type_name(from.type));
  }
  for (const float value : reals)
    if (!std::isfinite(value)) throw Error("its {} hold {}", role, value);
  return reals;
}

graph::Node& TfliteFloatImporter::append(const TfliteOp& op, graph::Kind kind, int in) {
  graph::Node node;
  node.name = short_name(op.outputs[0]);
  node.kind = kind;
  node.in0 = in;
  node.out = add_value(op.outputs[0]);
  set_output(op, node.out);
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back();
}

void TfliteFloatImporter::expect_shape(const graph::Node& node, uint32_t h, uint32_t w, uint32_t c) const {
  const auto& out = at(node.out);
  if (out.h != h || out.w != w || out.c != c)
    throw Error("output is {}x{}x{}, but {}x{}x{} follows from its inputs", out.h, out.w, out.c, h,
                w, c);
}

void TfliteFloatImporter::activate(const TfliteOp& op, tflite::Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (activation == tflite::Activation::none) return;
  const float low = activation == tflite::Activation::relu_n1_to_1 ? -1.0f : 0.0f;
  const float high = activation == tflite::Activation::relu         ? kInfinity
                     : activation == tflite::Activation::relu6      ? 6.0f
                                                                    : 1.0f;
  if (activation > tflite::Activation::relu6 || activation < tflite::Activation::none)
    throw Error("fused activation number {} is not supported", static_cast<int>(activation));
  graph::Node& producer = graph.nodes.back();
  const graph::Value& out = at(producer.out);
  graph::Node clamp;
  clamp.name = producer.name + "/activation";
  clamp.kind = graph::Kind::clamp;
  clamp.in0 = producer.out;
  clamp.low = low;
  clamp.high = high;
  clamp.out = graph.add_value(clamp.name, out.h, out.w, out.c);
  values_[static_cast<size_t>(op.outputs[0])] = clamp.out;
  graph.nodes.push_back(std::move(clamp));
}

}  // namespace mcusim::import
