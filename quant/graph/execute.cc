// SPDX-License-Identifier: MIT
#include "quant/graph/execute.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::graph {
namespace {

using Floats = std::vector<float>;

constexpr uint64_t kMaxElements = uint64_t{1} << 28;  // of all activations together

// Calls cell(position, tap, values of the input cell) for every tap inside the input.
template <typename Cell>
void for_each_cell(const Node& node, const Value& in, const Value& out, const Floats& x,
                   Cell cell) {
  for (uint32_t y = 0; y < out.h; ++y)
    for (uint32_t col = 0; col < out.w; ++col)
      for (uint32_t ky = 0; ky < node.kernel_h; ++ky)
        for (uint32_t kx = 0; kx < node.kernel_w; ++kx) {
          const int64_t row = int64_t{y} * node.stride_h + ky - node.pad_top;
          const int64_t column = int64_t{col} * node.stride_w + kx - node.pad_left;
          if (row < 0 || column < 0 || row >= in.h || column >= in.w) continue;
          cell(size_t{y} * out.w + col, size_t{ky} * node.kernel_w + kx,
               &x[(static_cast<size_t>(row) * in.w + static_cast<size_t>(column)) * in.c]);
        }
}

void multiply_add(float* sums, const float* weights, float x, size_t count) {
  for (size_t i = 0; i < count; ++i) sums[i] += x * weights[i];
}

void conv(const Node& node, const Value& in, const Value& out, const Floats& w, const Floats& x,
          Floats& y) {
  for (size_t i = 0; i < y.size(); ++i) y[i] = node.bias.empty() ? 0 : node.bias[i % out.c];
  const size_t ci = in.c / node.groups, co = out.c / node.groups;
  for_each_cell(node, in, out, x, [&](size_t position, size_t tap, const float* cell) {
    float* sums = &y[position * out.c];
    const float* weights = &w[tap * ci * out.c];
    if (ci == 1 && co == 1) {
      for (size_t c = 0; c < out.c; ++c) sums[c] += cell[c] * weights[c];
      return;
    }
    for (size_t g = 0; g < node.groups; ++g)
      for (size_t i = 0; i < ci; ++i)
        multiply_add(sums + g * co, weights + i * out.c + g * co, cell[g * ci + i], co);
  });
}

void fully_connected(const Node& node, const Value& out, const Floats& w, const Floats& x,
                     Floats& y) {
  for (size_t c = 0; c < out.c; ++c) y[c] = node.bias.empty() ? 0 : node.bias[c];
  for (size_t k = 0; k < x.size(); ++k) multiply_add(y.data(), &w[k * out.c], x[k], out.c);
}

void pool(const Node& node, const Value& in, const Value& out, const Floats& x, Floats& y) {
  const bool maximum = node.kind == Kind::max_pool;
  std::fill(y.begin(), y.end(), maximum ? -std::numeric_limits<float>::infinity() : 0.0f);
  std::vector<float> cells(size_t{out.h} * out.w);
  for_each_cell(node, in, out, x, [&](size_t position, size_t, const float* cell) {
    float* sums = &y[position * out.c];
    cells[position] += 1;
    for (size_t c = 0; c < out.c; ++c)
      sums[c] = maximum ? std::max(sums[c], cell[c]) : sums[c] + cell[c];
  });
  if (maximum) return;
  const float whole = static_cast<float>(node.kernel_h) * static_cast<float>(node.kernel_w);
  for (size_t i = 0; i < y.size(); ++i)
    y[i] /= node.count_padding ? whole : std::max(1.0f, cells[i / out.c]);
}

void batch_norm(const Node& node, const Value& out, const Floats& x, Floats& y) {
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t c = i % out.c;
    y[i] = (x[i] - node.mean[c]) / std::sqrt(node.variance[c] + node.epsilon) * node.gamma[c] +
           node.beta[c];
  }
}

void pad(const Node& node, const Value& in, const Value& out, const Floats& x, Floats& y) {
  std::fill(y.begin(), y.end(), node.pad_value);
  for (size_t row = 0; row < in.h; ++row)
    std::copy_n(&x[row * in.w * in.c], size_t{in.w} * in.c,
                &y[((row + node.pad_top) * out.w + node.pad_left) * out.c]);
}

void softmax(const Floats& x, Floats& y) {
  const float top = *std::max_element(x.begin(), x.end());
  float sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += y[i] = std::exp(x[i] - top);
  for (auto& value : y) value /= sum;
}

// [co][k] to [k][co].
Floats transposed(const Floats& w, size_t co) {
  const size_t k = w.size() / co;
  Floats result(w.size());
  for (size_t o = 0; o < co; ++o)
    for (size_t i = 0; i < k; ++i) result[i * co + o] = w[o * k + i];
  return result;
}

}  // namespace

FloatExecutor::FloatExecutor(const Graph& graph) : graph_(graph) {
  for (const auto& node : graph.nodes) {
    if (node.weights.size() != graph.weight_count(node))
      throw Error("{}: {}: has no weights", graph.name, node.name);
    weights_.push_back(node.weights.empty() ? Floats{}
                                            : transposed(node.weights, graph.values[node.out].c));
  }
  uint64_t elements = 0;
  for (const auto& value : graph.values) elements += value.elements();
  if (elements > kMaxElements)
    throw Error("{}: its activations hold {} values (at most {})", graph.name, elements, kMaxElements);
  for (const auto& value : graph.values) values_.emplace_back(value.elements());
}

const std::vector<std::vector<float>>& FloatExecutor::run(
    const std::vector<float>& input,
    const std::function<void(size_t, const std::vector<float>&)>& after_node) {
  auto& first = values_[graph_.inputs[0]];
  check(input.size() == first.size(), "elements of the float input");
  first = input;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    run_node(i);
    if (after_node) after_node(i, values_[graph_.nodes[i].out]);
  }
  return values_;
}

void FloatExecutor::run_node(size_t index) {
  const Node& node = graph_.nodes[index];
  const Value &in = graph_.values[node.in0], &out = graph_.values[node.out];
  const Floats& x = values_[node.in0];
  Floats& y = values_[node.out];
  switch (node.kind) {
    case Kind::conv: return conv(node, in, out, weights_[index], x, y);
    case Kind::fully_connected: return fully_connected(node, out, weights_[index], x, y);
    case Kind::batch_norm: return batch_norm(node, out, x, y);
    case Kind::max_pool:
    case Kind::avg_pool: return pool(node, in, out, x, y);
    case Kind::pad: return pad(node, in, out, x, y);
    case Kind::softmax: return softmax(x, y);
    case Kind::flatten: y = x; return;
    case Kind::clamp:
      for (size_t i = 0; i < y.size(); ++i) y[i] = std::clamp(x[i], node.low, node.high);
      return;
    case Kind::add:
      for (size_t i = 0; i < y.size(); ++i) y[i] = x[i] + values_[node.in1][i];
      return;
  }
}

}  // namespace mcusim::graph
