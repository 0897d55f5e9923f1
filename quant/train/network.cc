// SPDX-License-Identifier: MIT
#include "quant/train/network.h"

#include <cmath>

#include "memmap/base/error.h"
#include "quant/quantise/weighted.h"
#include "quant/train/tensors.h"
#include "quant/train/torch_ops.h"

namespace mcusim::train {
namespace {

using at::Tensor;
using graph::Kind;

constexpr double kMomentum = 0.003;  // of batch statistics: TRAIN's, for the papers' networks

bool is_weighted(Kind kind) { return kind == Kind::conv || kind == Kind::fully_connected; }

Tensor scalar(double value) { return at::full({}, value, at::kFloat); }

Tensor per_output(const Tensor& values, const Tensor& like) {
  return like.dim() == 4 ? values.view({1, -1, 1, 1}) : values.view({1, -1});
}

// A range end moves only where it starts away from 0.
Tensor range_end(float value, bool learned) {
  return scalar(value).requires_grad_(learned && value != 0);
}

}  // namespace

FakeQuantNetwork::FakeQuantNetwork(const Task& task) : task_(task), graph_(task.graph) {
  check(task.starts.size() == task.layers.layers.size(), "one start per layer");
  for (size_t i = 0; i < task.starts.size(); ++i)
    items_.push_back(make(task.layers.layers[i], task.starts[i]));
}

FakeQuantNetwork::Layer FakeQuantNetwork::make(const graph::Layer& from,
                                               const LayerStart& start) const {
  const auto& node = graph_.nodes[from.node];
  Layer layer;
  layer.from = &from;
  layer.start = start;
  layer.keeps_grid = from.kind == Kind::max_pool || from.kind == Kind::pad || from.kind == Kind::flatten;
  const auto infinity = std::numeric_limits<double>::infinity();
  const double least = from.clamp >= 0 ? graph_.nodes[from.clamp].low : -infinity;
  const double most = from.clamp >= 0 ? graph_.nodes[from.clamp].high : infinity;
  layer.low_limit = std::min(0.0, least);
  layer.high_limit = std::max(0.0, most);
  layer.high_floor = 1e-3 * (start.output.high - start.output.low);
  layer.low = range_end(std::max(start.output.low, static_cast<float>(layer.low_limit)),
                        !layer.keeps_grid);
  layer.high = range_end(std::min(start.output.high, static_cast<float>(layer.high_limit)),
                         !layer.keeps_grid);
  if (from.kind == Kind::pad && node.pad_value != 0)
    throw Error("{}: pads with {} (only 0 is exact)", from.name, node.pad_value);
  if (!is_weighted(from.kind)) return layer;

  quantise::RealLayer real = quantise::real_layer(graph_, from);
  layer.folded = start.flavour == plan::Flavour::pl_fb;
  layer.per_channel = start.flavour == plan::Flavour::pc_icn ||
                      start.flavour == plan::Flavour::pc_thresholds;
  layer.has_norm = from.batch_norm >= 0 && !layer.folded;
  std::vector<float> bias(real.channels);
  for (size_t c = 0; c < real.channels; ++c) {
    bias[c] = node.bias.empty() ? 0.0f : node.bias[c];
    if (!layer.folded) continue;
    bias[c] = static_cast<float>(real.bias[c] * real.slope[c] + real.offset[c]);
    for (size_t k = 0; k < real.depth; ++k) {
      float& w = real.weights[c * real.depth + k];
      w = static_cast<float>(w * real.slope[c]);
    }
  }
  layer.weight = to_tensor_order(real.weights, node, graph_.values[node.out].c).requires_grad_();
  layer.bias = to_tensor(bias).requires_grad_();
  if (layer.has_norm) {
    const auto& norm = graph_.nodes[from.batch_norm];
    layer.gamma = to_tensor(norm.gamma).requires_grad_();
    layer.beta = to_tensor(norm.beta).requires_grad_();
    layer.mean = to_tensor(norm.mean);
    layer.variance = to_tensor(norm.variance);
  }
  if (layer.per_channel) return layer;
  // Folded weights start from their extremes, others from a least-squares step (A.1).
  const auto method = layer.folded ? quantise::WeightMethod::min_max
                                   : quantise::WeightMethod::least_squares;
  const auto stored = quantise::quantise_weights(real.weights, start.weight_bits, method, true);
  const auto end = [&](int32_t value) {
    return static_cast<float>(stored.scale * (value - stored.zero_point));
  };
  layer.weight_low = range_end(end(0), true);
  layer.weight_high = range_end(end((1 << start.weight_bits) - 1), true);
  return layer;
}

// Learned ends, or the extremes of every channel; those are widened to hold 0 where
// the zero point would not fit 16 bits.
std::pair<Tensor, Tensor> FakeQuantNetwork::weight_range(const Layer& layer) const {
  if (!layer.per_channel) return {layer.weight_low, layer.weight_high};
  const Tensor rows = layer.weight.detach().flatten(1);
  const Tensor low = at::amin(rows, {1}), high = at::amax(rows, {1});
  const Tensor far = grid_of(low, high, layer.start.weight_bits).zero_point.abs() >
                     static_cast<double>(quantise::kMaxZeroPoint);
  return {grid_shape(at::where(far, low.clamp_max(0), low), layer.weight),
          grid_shape(at::where(far, high.clamp_min(0), high), layer.weight)};
}

Tensor FakeQuantNetwork::padded(const Layer& layer, const Tensor& x, double value) const {
  const auto& n = graph_.nodes[layer.from->node];
  if (n.pad_top + n.pad_left + n.pad_bottom + n.pad_right == 0) return x;
  return at::constant_pad_nd(x, {n.pad_left, n.pad_right, n.pad_top, n.pad_bottom}, value);
}

Tensor FakeQuantNetwork::product(const Layer& layer, const Tensor& x, const Tensor& w) const {
  const auto& node = graph_.nodes[layer.from->node];
  if (layer.from->kind == Kind::fully_connected) {
    const Tensor rows = x.dim() == 4 ? x.permute({0, 2, 3, 1}).flatten(1) : x;
    return at::linear(rows, w);
  }
  const std::vector<int64_t> stride{node.stride_h, node.stride_w}, padding{0, 0}, dilation{1, 1};
  return at::conv2d(padded(layer, x, 0), w, {}, stride, padding, dilation, node.groups);
}

Tensor FakeQuantNetwork::weighted(Layer& layer, const Activation& in, Pass pass,
                                  bool batch_statistics) {
  const auto [low, high] = weight_range(layer);
  const int bits = layer.start.weight_bits;
  const Tensor weights = fake_quantise(layer.weight, low, high, bits, Rounding::nearest);
  const Grid grid = grid_of(low, high, bits);
  // The accumulator's unit per channel, in which biases are stored.
  Tensor unit = in.grid.scale.detach().to(at::kDouble) * grid.scale.detach().to(at::kDouble).flatten();
  Tensor sums;
  if (pass == Pass::exact) {
    const Tensor x = at::round(in.real / in.grid.scale).to(at::kFloat);
    const Tensor w = at::round(weights.detach() / grid.scale);
    sums = product(layer, x, w).to(at::kDouble);
    sums = sums * per_output(unit, sums);
  } else {
    sums = product(layer, in.real, weights);
    unit = unit.to(at::kFloat);
  }
  const auto type = sums.scalar_type();
  const Tensor bias = layer.bias.to(type);
  if (!layer.has_norm) return sums + per_output(round_to(bias, unit), sums);
  const double epsilon = graph_.nodes[layer.from->batch_norm].epsilon;
  if (batch_statistics)
    return at::batch_norm(sums + per_output(bias, sums), layer.gamma, layer.beta, layer.mean,
                          layer.variance, true, kMomentum, epsilon, false);
  // The order of integer normalisation: everything but the slope is in the accumulator.
  const Tensor slope = layer.gamma.to(type) / at::sqrt(layer.variance.to(type) + epsilon);
  const Tensor lives = slope.abs() > 1e-12;
  const Tensor safe = at::where(lives, slope, at::ones_like(slope));
  const Tensor inner = round_to(bias - layer.mean.to(type) + layer.beta.to(type) / safe, unit);
  return at::where(per_output(lives, sums), per_output(safe, sums) * (sums + per_output(inner, sums)),
                   per_output(layer.beta.to(type), sums));
}

Tensor FakeQuantNetwork::pooled(const Layer& layer, const Tensor& x) const {
  const auto& node = graph_.nodes[layer.from->node];
  const std::vector<int64_t> kernel{node.kernel_h, node.kernel_w}, stride{node.stride_h, node.stride_w};
  if (layer.from->kind == Kind::max_pool)
    return at::max_pool2d(padded(layer, x, -1e30), kernel, stride);
  const Tensor mean = at::avg_pool2d(padded(layer, x, 0), kernel, stride);
  const Tensor cells = padded(layer, at::ones({1, 1, x.size(2), x.size(3)}, x.options()), 0);
  return mean / at::avg_pool2d(cells, kernel, stride);
}

Tensor FakeQuantNetwork::forward(const Tensor& x, Pass pass, bool batch_statistics) {
  std::vector<Activation> values(graph_.values.size());
  values[graph_.inputs[0]] = {pass == Pass::exact ? x.to(at::kDouble) : x,
                              {scalar(task_.input.scale), scalar(task_.input.zero_point)}};
  for (auto& layer : items_) {
    const auto& from = *layer.from;
    const Activation& in = values[from.in0];
    Tensor y;
    switch (from.kind) {
      case Kind::conv:
      case Kind::fully_connected: y = weighted(layer, in, pass, batch_statistics); break;
      case Kind::add: y = in.real + values[from.in1].real; break;
      case Kind::pad: y = padded(layer, in.real, 0); break;
      case Kind::flatten: y = in.real; break;  // channels stay innermost for the next layer
      default: y = pooled(layer, in.real);
    }
    Grid grid = in.grid;
    if (!layer.keeps_grid) {
      grid = grid_of(layer.low.detach(), layer.high.detach(), layer.start.output_bits);
      y = fake_quantise(y, layer.low, layer.high, layer.start.output_bits, Rounding::floor);
    }
    values[from.out] = {y, grid};
  }
  const Tensor y = values[task_.layers.outputs[0]].real;
  return y.dim() == 4 ? y.permute({0, 2, 3, 1}).flatten(1) : y;
}

std::vector<Parameter> FakeQuantNetwork::parameters() {
  std::vector<Parameter> result;
  for (auto& layer : items_) {
    const auto add = [&](const char* name, const Tensor& tensor, bool is_range) {
      if (tensor.defined() && tensor.requires_grad())
        result.push_back({layer.from->name + "." + name, tensor, is_range});
    };
    add("weight", layer.weight, false);
    add("bias", layer.bias, false);
    add("gamma", layer.gamma, false);
    add("beta", layer.beta, false);
    add("weight_low", layer.weight_low, true);
    add("weight_high", layer.weight_high, true);
    add("low", layer.low, true);
    add("high", layer.high, true);
  }
  return result;
}

std::vector<Tensor> FakeQuantNetwork::state() {
  std::vector<Tensor> result;
  for (const auto& parameter : parameters()) result.push_back(parameter.tensor);
  for (const auto& layer : items_)
    if (layer.has_norm) {
      result.push_back(layer.mean);
      result.push_back(layer.variance);
    }
  return result;
}

void FakeQuantNetwork::restrain_ranges() {
  for (auto& layer : items_) {
    if (layer.weight_low.defined()) {
      layer.weight_low.copy_(layer.weight_low.clamp_max(0));
      layer.weight_high.copy_(layer.weight_high.clamp_min(0));
    }
    layer.low.copy_(at::clamp(layer.low, layer.low_limit, 0));
    layer.high.copy_(at::clamp(layer.high, layer.low.item<float>() == 0 ? layer.high_floor : 0,
                              layer.high_limit));
  }
}

graph::Graph FakeQuantNetwork::trained_graph() const {
  graph::Graph result = graph_;
  for (const auto& layer : items_) {
    if (!layer.weight.defined()) continue;
    auto& node = result.nodes[layer.from->node];
    node.weights = from_tensor_order(layer.weight);
    node.bias = from_tensor(layer.bias);
    if (layer.from->batch_norm < 0) continue;
    auto& norm = result.nodes[layer.from->batch_norm];
    if (layer.has_norm) {
      norm.gamma = from_tensor(layer.gamma);
      norm.beta = from_tensor(layer.beta);
      norm.mean = from_tensor(layer.mean);
      norm.variance = from_tensor(layer.variance);
    } else {
      norm.gamma.assign(norm.gamma.size(), 1);
      norm.beta.assign(norm.beta.size(), 0);
      norm.mean.assign(norm.mean.size(), 0);
      norm.variance.assign(norm.variance.size(), 1);
      norm.epsilon = 0;
    }
  }
  return result;
}

std::vector<quantise::TrainedLayer> FakeQuantNetwork::trained_layers() const {
  std::vector<quantise::TrainedLayer> result;
  const auto affine = [](const Grid& grid) {
    return quantise::Affine{grid.scale.item<float>(),
                            static_cast<int32_t>(grid.zero_point.item<float>())};
  };
  for (const auto& layer : items_) {
    quantise::TrainedLayer trained;
    trained.output = affine(grid_of(layer.low, layer.high, layer.start.output_bits));
    if (layer.weight.defined()) {
      const int bits = layer.start.weight_bits;
      const auto [low, high] = weight_range(layer);
      const Grid grid = grid_of(low, high, bits);
      const Tensor stored = at::clamp(
          at::round(layer.weight.detach() / grid.scale) + grid.zero_point, 0, (1 << bits) - 1);
      trained.weights = stored_weights(from_tensor_order(stored), grid);
    }
    result.push_back(std::move(trained));
  }
  return result;
}

}  // namespace mcusim::train
