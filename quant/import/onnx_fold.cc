// SPDX-License-Identifier: MIT
// Small arithmetic that exporters leave in the graph instead of a number: shapes of
// activations, the amounts of a Pad, the shape of a Reshape. Only on constants.
#include <algorithm>
#include <numeric>

#include "memmap/base/error.h"
#include "quant/import/onnx_graph.h"

namespace mcusim::import {
namespace {

using onnx_file::Node;
using onnx_file::Tensor;

constexpr size_t kMaxElements = 4096;  // a shape, paddings: never weights

const Tensor& operand(const Importer& importer, const Node& node, size_t input) {
  return importer.need_constant(node, input, "operand");
}
const std::vector<int64_t>& integers(const Importer& importer, const Node& node, size_t input) {
  const Tensor& tensor = operand(importer, node, input);
  if (tensor.is_real()) throw Unsupported{"of real constants"};
  return tensor.integers;
}

Tensor vector_of(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return {{count}, "int64", {}, std::move(values)};
}

Tensor constant_of_shape(Importer& importer, const Node& node) {
  uint64_t count = 1;
  for (const int64_t extent : integers(importer, node, 0)) {
    if (extent < 0 || (count *= static_cast<uint64_t>(extent)) > kMaxElements)
      throw Unsupported{"too large a constant"};
  }
  const auto value = node.attributes.find("value");
  const bool real = value == node.attributes.end() || value->second.tensor.is_real();
  const auto filler = value == node.attributes.end() ? std::vector<float>{0}
                                                     : value->second.tensor.as_reals();
  if (filler.size() != 1) throw Unsupported{"a value that is not one number"};
  Tensor result{integers(importer, node, 0), real ? "float" : "int64", {}, {}};
  if (real) result.reals.assign(count, filler[0]);
  else result.integers.assign(count, static_cast<int64_t>(filler[0]));
  return result;
}

Tensor concat(Importer& importer, const Node& node) {
  std::vector<int64_t> all;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto& part = integers(importer, node, i);
    all.insert(all.end(), part.begin(), part.end());
  }
  return vector_of(std::move(all));
}

Tensor gather(Importer& importer, const Node& node) {
  const auto& data = integers(importer, node, 0);
  const Tensor& indices = operand(importer, node, 1);
  if (node.integer("axis", 0) != 0 || operand(importer, node, 0).dims.size() > 1)
    throw Unsupported{"only from a vector"};
  Tensor result{indices.dims, "int64", {}, {}};
  for (int64_t index : integers(importer, node, 1)) {
    index += index < 0 ? static_cast<int64_t>(data.size()) : 0;
    if (index < 0 || index >= static_cast<int64_t>(data.size()))
      throw Unsupported{fmt::format("index {} of {} values", index, data.size())};
    result.integers.push_back(data[static_cast<size_t>(index)]);
  }
  return result;
}

// Rows from start to end by step along axis 0.
Tensor slice(Importer& importer, const Node& node) {
  const Tensor& data = operand(importer, node, 0);
  const auto one = [&](size_t input, int64_t fallback) {
    if (!node.has_input(input)) return fallback;
    const auto& values = integers(importer, node, input);
    if (values.size() != 1) throw Unsupported{"along several axes"};
    return values[0];
  };
  if (data.dims.empty() || one(3, 0) != 0 || data.is_real()) throw Unsupported{"only along axis 0"};
  const int64_t rows = data.dims[0], step = one(4, 1);
  const auto width = rows ? static_cast<int64_t>(data.integers.size()) / rows : 0;
  if (step == 0) throw Unsupported{"a step of 0"};
  const auto place = [&](int64_t at) {
    at += at < 0 && at >= -rows ? rows : 0;
    return step > 0 ? std::clamp<int64_t>(at, 0, rows) : std::clamp<int64_t>(at, -1, rows - 1);
  };
  Tensor result{data.dims, data.type, {}, {}};
  result.dims[0] = 0;
  for (int64_t row = place(one(1, 0)), last = place(one(2, 0)); step > 0 ? row < last : row > last;
       row += std::clamp<int64_t>(step, -rows - 1, rows + 1), ++result.dims[0])
    result.integers.insert(result.integers.end(), data.integers.begin() + row * width,
                           data.integers.begin() + (row + 1) * width);
  return result;
}

Tensor reshape(Importer& importer, const Node& node) {
  Tensor result = operand(importer, node, 0);
  std::vector<int64_t> dims = integers(importer, node, 1);
  const auto size = static_cast<int64_t>(result.size());
  int64_t known = 1;
  for (const int64_t extent : dims) {
    if (extent == 0 || extent < -1 || extent > size) throw Unsupported{"such a shape"};
    known = std::min<int64_t>(known * std::abs(extent), size + 1);
  }
  if (const auto free = std::find(dims.begin(), dims.end(), -1); free != dims.end() && known > 0)
    *free = size / known;
  result.dims = dims;
  if (std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()) != size)
    throw Unsupported{"another number of elements"};
  return result;
}

// Scalars and vectors alone change between the two.
Tensor flat(Importer& importer, const Node& node) {
  Tensor result = operand(importer, node, 0);
  const bool grows = node.op == "Unsqueeze";
  if (result.dims.size() > 1 || (!grows && result.size() != 1)) throw Unsupported{"such a shape"};
  result.dims = grows ? std::vector<int64_t>{static_cast<int64_t>(result.size())}
                      : std::vector<int64_t>{};
  return result;
}

Tensor transpose(Importer& importer, const Node& node) {
  const Tensor& from = operand(importer, node, 0);
  if (from.dims.size() != 2 || from.is_real()) throw Unsupported{"of constants: only matrices"};
  const auto rows = static_cast<size_t>(from.dims[0]), columns = static_cast<size_t>(from.dims[1]);
  Tensor result{{from.dims[1], from.dims[0]}, from.type, {}, {}};
  for (size_t c = 0; c < columns; ++c)
    for (size_t r = 0; r < rows; ++r) result.integers.push_back(from.integers[r * columns + c]);
  return result;
}

Tensor cast(Importer& importer, const Node& node) {
  constexpr int64_t kFloat = 1;  // TensorProto.DataType
  Tensor result = operand(importer, node, 0);
  const bool to_real = node.integer("to", 0) == kFloat;
  if (to_real && !result.is_real()) {
    result.reals = result.as_reals();
    result.integers.clear();
  } else if (!to_real && result.is_real()) {
    for (const float value : result.reals) {
      if (!(value > -1e9f && value < 1e9f)) throw Unsupported{"of a number out of range"};
      result.integers.push_back(static_cast<int64_t>(value));
    }
    result.reals.clear();
  }
  result.type = to_real ? "float" : "int64";
  return result;
}

Tensor arithmetic(Importer& importer, const Node& node) {
  const auto &a = integers(importer, node, 0), &b = integers(importer, node, 1);
  if (a.size() != b.size() && a.size() != 1 && b.size() != 1) throw Unsupported{"broadcasting"};
  Tensor result = operand(importer, node, a.size() >= b.size() ? 0 : 1);
  for (size_t i = 0; i < result.integers.size(); ++i) {
    const int64_t x = a[a.size() == 1 ? 0 : i], y = b[b.size() == 1 ? 0 : i];
    constexpr int64_t kLimit = int64_t{1} << 31;  // sums and products of these fit
    if (x > kLimit || x < -kLimit || y > kLimit || y < -kLimit) throw Unsupported{"of huge numbers"};
    if (node.op == "Div" && y == 0) throw Unsupported{"a division by zero"};
    result.integers[i] = node.op == "Add"   ? x + y
                         : node.op == "Sub" ? x - y
                         : node.op == "Mul" ? x * y
                                            : x / y;
  }
  return result;
}

// The exporter's own shape of an activation; a free batch is 1.
Tensor shape(Importer& importer, const Node& node) {
  const View view = importer.activation(node, 0);
  const graph::Value& x = importer.value(view);
  const auto c = int64_t{x.c}, h = int64_t{x.h}, w = int64_t{x.w};
  switch (view.form) {
    case Form::nchw: return vector_of({1, c, h, w});
    case Form::nhwc: return vector_of({1, h, w, c});
    default: return vector_of({1, c * h * w});
  }
}

struct FoldRow {
  const char* op;
  Tensor (*fold)(Importer&, const Node&);
};
constexpr FoldRow kFolds[] = {
    {"ConstantOfShape", constant_of_shape}, {"Concat", concat}, {"Gather", gather},
    {"Slice", slice},          {"Reshape", reshape}, {"Unsqueeze", flat},  {"Squeeze", flat},
    {"Transpose", transpose},  {"Cast", cast},       {"Add", arithmetic},  {"Sub", arithmetic},
    {"Mul", arithmetic},       {"Div", arithmetic},  {"Shape", shape},
};

}  // namespace

bool fold_constant(Importer& importer, const Node& node) {
  const auto row = std::find_if(std::begin(kFolds), std::end(kFolds),
                                [&](const FoldRow& known) { return node.op == known.op; });
  if (row == std::end(kFolds) || node.outputs.empty() || !node.domain.empty()) return false;
  if (row->fold != shape) {
    size_t elements = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.has_input(i)) continue;
      const Tensor* constant = importer.constant(node, i);
      if (!constant) return false;
      elements += constant->size();
    }
    if (node.inputs.empty() || elements > kMaxElements) return false;
  }
  importer.model.constants[node.outputs[0]] = row->fold(importer, node);
  return true;
}

}  // namespace mcusim::import
