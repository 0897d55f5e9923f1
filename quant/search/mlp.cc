// SPDX-License-Identifier: MIT
#include "quant/search/mlp.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"

namespace mcusim::search {
namespace {

// Wider vectors where the machine has them. Sums keep their order and nothing is
// fused, so results are the same everywhere.
#if defined(__x86_64__)
#define MCUSIM_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define MCUSIM_WIDE
#endif

// y += the sum of a[k] * x[k], contiguous.
MCUSIM_WIDE void add_four(float* y, const float* const x[4], const float a[4], size_t count) {
  const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
  for (size_t i = 0; i < count; ++i)
    y[i] += (a[0] * x0[i] + a[1] * x1[i]) + (a[2] * x2[i] + a[3] * x3[i]);
}

MCUSIM_WIDE float dot(const float* a, const float* b, size_t count) {
  constexpr size_t kLanes = 16;
  float sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  float total = 0;
  for (; i < count; ++i) total += a[i] * b[i];
  for (const float sum : sums) total += sum;
  return total;
}

// y += sum over k of factor(k) * row(k), where the factor is not 0, as ReLU makes many.
template <typename Factor, typename Row>
void add_rows(float* y, size_t rows, size_t count, Factor factor, Row row) {
  const float* x[4] = {};
  float a[4] = {};
  size_t held = 0;
  const auto flush = [&] {
    for (size_t k = held; k < 4; ++k) {
      x[k] = x[0];
      a[k] = 0;
    }
    if (held > 0) add_four(y, x, a, count);
    held = 0;
  };
  for (size_t k = 0; k < rows; ++k) {
    const float value = factor(k);
    if (value == 0) continue;
    x[held] = row(k);
    a[held] = value;
    if (++held == 4) flush();
  }
  flush();
}

}  // namespace

void Mlp::Dense::forward() {
  const size_t rows = x.size() / in;
  y.resize(rows * out);
  for (size_t r = 0; r < rows; ++r) {
    std::copy_n(&w[in * out], out, &y[r * out]);
    add_rows(&y[r * out], in, out, [&](size_t i) { return x[r * in + i]; },
             [&](size_t i) { return &w[i * out]; });
  }
}

std::vector<float> Mlp::Dense::backward(const std::vector<float>& dy) {
  const size_t rows = x.size() / in;
  const auto gradient_row = [&](size_t r) { return &dy[r * out]; };
  for (size_t i = 0; i < in; ++i)
    add_rows(&dw[i * out], rows, out, [&](size_t r) { return x[r * in + i]; }, gradient_row);
  add_rows(&dw[in * out], rows, out, [](size_t) { return 1.0f; }, gradient_row);
  std::vector<float> dx(x.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t i = 0; i < in; ++i) dx[r * in + i] = dot(&w[i * out], gradient_row(r), out);
  return dx;
}

Mlp::Mlp(size_t inputs, size_t hidden, bool sigmoid, zoo::Random& random) : sigmoid_(sigmoid) {
  const size_t sizes[] = {inputs, hidden, hidden, 1};
  for (size_t i = 0; i < 3; ++i) {
    Dense dense;
    dense.in = sizes[i];
    dense.out = sizes[i + 1];
    dense.w.resize((dense.in + 1) * dense.out);
    dense.dw = dense.m = dense.v = std::vector<float>(dense.w.size());
    const double bound = i == 2 ? 3e-3 : 1 / std::sqrt(static_cast<double>(dense.in));
    for (auto& w : dense.w) w = static_cast<float>(random.real(-bound, bound));
    layers_.push_back(std::move(dense));
  }
}

const std::vector<float>& Mlp::forward(const std::vector<float>& rows) {
  check(rows.size() % layers_[0].in == 0, "whole rows of inputs");
  layers_[0].x = rows;
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].forward();
    if (i + 1 == layers_.size()) break;
    layers_[i + 1].x = layers_[i].y;
    for (auto& value : layers_[i + 1].x) value = std::max(value, 0.0f);
  }
  auto& outputs = layers_.back().y;
  if (sigmoid_)
    for (auto& value : outputs) value = 1 / (1 + std::exp(-value));
  return outputs;
}

std::vector<float> Mlp::backward(const std::vector<float>& output_gradients) {
  std::vector<float> gradients = output_gradients;
  const auto& outputs = layers_.back().y;
  if (sigmoid_)
    for (size_t i = 0; i < gradients.size(); ++i) gradients[i] *= outputs[i] * (1 - outputs[i]);
  for (size_t i = layers_.size(); i-- > 0;) {
    gradients = layers_[i].backward(gradients);
    if (i == 0) break;
    for (size_t k = 0; k < gradients.size(); ++k)
      if (layers_[i].x[k] <= 0) gradients[k] = 0;
  }
  return gradients;
}

void Mlp::update(double rate) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  ++updates_;
  const double n = static_cast<double>(updates_);
  const auto step = static_cast<float>(rate / (1 - std::pow(kBeta1, n)));
  const auto correction = static_cast<float>(1 / (1 - std::pow(kBeta2, n)));
  for (auto& layer : layers_)
    for (size_t i = 0; i < layer.w.size(); ++i) {
      const float g = layer.dw[i];
      layer.m[i] += static_cast<float>(1 - kBeta1) * (g - layer.m[i]);
      layer.v[i] += static_cast<float>(1 - kBeta2) * (g * g - layer.v[i]);
      layer.w[i] -= step * layer.m[i] /
                    (std::sqrt(layer.v[i] * correction) + static_cast<float>(kEpsilon));
      layer.dw[i] = 0;
    }
}

void Mlp::discard_gradients() {
  for (auto& layer : layers_) std::fill(layer.dw.begin(), layer.dw.end(), 0.0f);
}

void Mlp::follow(const Mlp& source, double part) {
  for (size_t k = 0; k < layers_.size(); ++k)
    for (size_t i = 0; i < layers_[k].w.size(); ++i)
      layers_[k].w[i] += static_cast<float>(part) * (source.layers_[k].w[i] - layers_[k].w[i]);
}

size_t Mlp::parameter_count() const {
  size_t count = 0;
  for (const auto& layer : layers_) count += layer.w.size();
  return count;
}

float& Mlp::parameter(size_t index) {
  for (auto& layer : layers_) {
    if (index < layer.w.size()) return layer.w[index];
    index -= layer.w.size();
  }
  throw Error("parameter index");
}

float Mlp::gradient(size_t index) const {
  for (const auto& layer : layers_) {
    if (index < layer.dw.size()) return layer.dw[index];
    index -= layer.dw.size();
  }
  throw Error("parameter index");
}

}  // namespace mcusim::search
