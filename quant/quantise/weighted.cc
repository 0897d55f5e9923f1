// SPDX-License-Identifier: MIT
// Integer channel normalisation: with Phi the exact integer sum,
//   Y = Zy + floor(m * (Phi + Bq)),  Bq = round((bias + offset / slope) / (Sx * Sw)),
//   m = Sx * Sw / Sy * slope.
// Folding first multiplies the weights by the slope and shares one m per layer.
#include "quant/quantise/weighted.h"

#include <algorithm>
#include <cmath>

#include "memmap/base/error.h"
#include "quant/quantise/icn.h"

namespace mcusim::quantise {
namespace {

constexpr double kAccumulatorBound = 2147483648.0;  // |Phi + Bq| stays below

struct Bounds {
  double low = 0, high = 0;
};

// Least and most Phi of a channel over all inputs; cells in the padding are 0.
Bounds phi_bounds(std::span<const uint8_t> stored, int32_t zero_point, const LayerScales& scales) {
  const double x_low = -scales.in.zero_point;
  const double x_high = ((1 << scales.in_bits) - 1) - scales.in.zero_point;
  Bounds bounds;
  for (const uint8_t value : stored) {
    const double w = value - zero_point;
    bounds.low += std::min({0.0, w * x_low, w * x_high});
    bounds.high += std::max({0.0, w * x_low, w * x_high});
  }
  return bounds;
}

class Maker {
 public:
  Maker(const RealLayer& real, const LayerScales& scales, bool half_step, IntOp& op,
        std::vector<std::string>& repairs)
      : real_(real), scales_(scales), half_step_(half_step), op_(op), repairs_(repairs) {
    op_.weight_bits = scales.weight_bits;
    op_.half_step = half_step;
    op_.weights.resize(real.weights.size());
  }

  RealChannels take() { return std::move(result_); }

  void per_channel(WeightMethod method) {
    for (size_t c = 0; c < real_.channels; ++c) {
      if (is_constant(c)) {
        op_.weight_zero_points.push_back(0);
        push_constant(c);
        continue;
      }
      auto q = quantise_weights(real_.row(c), scales_.weight_bits, method, false);
      if (!try_channel(c, q)) {
        q = quantise_weights(real_.row(c), scales_.weight_bits, method, true);
        repairs_.push_back(
            fmt::format("{} channel {}: weight range widened to include 0", op_.name, c));
        if (!try_channel(c, q)) refuse(c);
      }
    }
  }

  void per_layer(WeightMethod method) {
    const auto q = quantise_weights(real_.weights, scales_.weight_bits, method, true);
    op_.weights = q.stored;
    op_.weight_zero_points = {q.zero_point};
    for (size_t c = 0; c < real_.channels; ++c) {
      if (is_constant(c)) {
        std::fill(stored(c).begin(), stored(c).end(), static_cast<uint8_t>(q.zero_point));
        push_constant(c);
      } else if (!push_normalised(c, q.scale, q.zero_point)) {
        refuse(c);
      }
    }
  }

  void folded(WeightMethod method) {
    RealLayer merged = real_;
    for (size_t i = 0; i < merged.weights.size(); ++i)
      merged.weights[i] = static_cast<float>(merged.weights[i] * real_.slope[i / real_.depth]);
    const auto q = quantise_weights(merged.weights, scales_.weight_bits, method, true);
    op_.weights = q.stored;
    op_.weight_zero_points = {q.zero_point};
    const double product = static_cast<double>(scales_.in.scale) * q.scale;
    const Multiplier m = multiplier_of(product / scales_.out.scale);
    op_.mult = {m.mult};
    op_.shift = {m.shift};
    for (size_t c = 0; c < real_.channels; ++c) {
      const double bias = real_.bias[c] * real_.slope[c] + real_.offset[c] -
                          mean_error(merged.row(c), c, q.scale, q.zero_point);
      if (!push_bias(c, bias / product, product / scales_.out.scale, q.zero_point)) refuse(c);
      push_real(q.scale, 1, bias);
    }
  }

  // Channels on their trained grids; one that a 32-bit accumulator cannot hold has
  // a slope of about nothing and becomes its constant.
  void trained(std::span<const StoredWeights> grids, bool shares_multiplier) {
    const bool shared = grids.size() == 1;
    size_t first = 0;
    for (const auto& grid : grids) {
      check(first + grid.stored.size() <= op_.weights.size(), "trained weights of the layer");
      std::copy(grid.stored.begin(), grid.stored.end(), op_.weights.begin() + static_cast<long>(first));
      first += grid.stored.size();
      op_.weight_zero_points.push_back(grid.zero_point);
    }
    check(first == op_.weights.size(), "trained weights of the layer");
    for (size_t c = 0; c < real_.channels; ++c) {
      const auto& grid = grids[shared ? 0 : c];
      if (push_normalised(c, grid.scale, grid.zero_point)) continue;
      if (shares_multiplier || !is_constant(c)) refuse(c);
      std::fill(stored(c).begin(), stored(c).end(),
                static_cast<uint8_t>(shared ? grid.zero_point : 0));
      if (!shared) op_.weight_zero_points[c] = 0;
      push_constant(c);
    }
    if (!shares_multiplier) return;
    op_.mult.resize(1);
    op_.shift.resize(1);
  }

 private:
  std::span<uint8_t> stored(size_t channel) {
    return {&op_.weights[channel * real_.depth], real_.depth};
  }

  // The real output does not change, or by less than one step over every input.
  bool is_constant(size_t c) const {
    const double x_low = -static_cast<double>(scales_.in.scale) * scales_.in.zero_point;
    const double x_high =
        x_low + static_cast<double>(scales_.in.scale) * ((1 << scales_.in_bits) - 1);
    double low = 0, high = 0;
    for (const float w : real_.row(c)) {
      low += std::min({0.0, w * x_low, w * x_high});
      high += std::max({0.0, w * x_low, w * x_high});
    }
    return (high - low) * std::fabs(real_.slope[c]) < scales_.out.scale;
  }

  void push_constant(size_t c) {
    const double value = real_.bias[c] * real_.slope[c] + real_.offset[c];
    const double steps = std::floor(value / scales_.out.scale + (half_step_ ? 0.5 : 0.0));
    push(multiplier_of(1.0), static_cast<int32_t>(std::clamp(steps, -1e9, 1e9)));
    push_real(0, 1, value);
    repairs_.push_back(fmt::format("{} channel {}: constant {:.6g}", op_.name, c, value));
  }

  // What the channel's stored weights add to its sum on the mean input.
  double mean_error(std::span<const float> row, size_t c, double scale, int32_t zero_point) const {
    if (real_.means.empty()) return 0;
    const double* means = &real_.means[real_.means.size() == real_.depth ? 0 : c * real_.depth];
    double error = 0;
    for (size_t k = 0; k < real_.depth; ++k)
      error += (scale * (op_.weights[c * real_.depth + k] - zero_point) - row[k]) * means[k];
    return error;
  }

  bool try_channel(size_t c, const StoredWeights& q) {
    std::copy(q.stored.begin(), q.stored.end(), stored(c).begin());
    if (!push_normalised(c, q.scale, q.zero_point)) return false;
    op_.weight_zero_points.push_back(q.zero_point);
    return true;
  }

  bool push_normalised(size_t c, double weight_scale, int32_t zero_point) {
    const double product = static_cast<double>(scales_.in.scale) * weight_scale;
    const double m = product / scales_.out.scale * real_.slope[c];
    const double bias = real_.bias[c] - mean_error(real_.row(c), c, weight_scale, zero_point);
    const double exact = (bias + real_.offset[c] / real_.slope[c]) / product;
    if (!push_bias(c, exact, m, zero_point)) return false;
    const Multiplier multiplier = multiplier_of(m);
    op_.mult.push_back(multiplier.mult);
    op_.shift.push_back(multiplier.shift);
    push_real(weight_scale, real_.slope[c], bias * real_.slope[c] + real_.offset[c]);
    return true;
  }

  void push_real(double weight_scale, double gain, double addend) {
    result_.weight_scale.push_back(weight_scale);
    result_.gain.push_back(gain);
    result_.addend.push_back(addend);
  }

  // Bq with its half step, if |Phi + Bq| keeps its bound.
  bool push_bias(size_t c, double exact, double m, int32_t zero_point) {
    const double bias = std::nearbyint(exact + (half_step_ ? 0.5 / m : 0.0));
    const Bounds phi = phi_bounds(stored(c), zero_point, scales_);
    if (!(std::fabs(bias) < kAccumulatorBound) || phi.high + bias >= kAccumulatorBound ||
        phi.low + bias <= -kAccumulatorBound)
      return false;
    op_.bias.push_back(static_cast<int32_t>(bias));
    return true;
  }

  void push(Multiplier m, int32_t bias) {
    op_.mult.push_back(m.mult);
    op_.shift.push_back(m.shift);
    op_.bias.push_back(bias);
  }

  [[noreturn]] void refuse(size_t c) const {
    throw Error("{}: channel {}: the accumulator leaves 32 bits (batch norm slope {:.3g}, offset "
                "{:.3g})", op_.name, c, real_.slope[c], real_.offset[c]);
  }

  const RealLayer& real_;
  const LayerScales& scales_;
  const bool half_step_;
  IntOp& op_;
  std::vector<std::string>& repairs_;
  RealChannels result_;
};

}  // namespace

RealChannels store_trained(const RealLayer& real, const LayerScales& scales, plan::Flavour flavour,
                           std::span<const StoredWeights> grids, bool half_step, IntOp& op,
                           std::vector<std::string>& repairs) {
  Maker maker(real, scales, half_step, op, repairs);
  maker.trained(grids, flavour == plan::Flavour::pl_fb);
  return maker.take();
}

RealLayer real_layer(const graph::Graph& graph, const graph::Layer& layer) {
  const graph::Node& node = graph.nodes[layer.node];
  RealLayer real;
  real.channels = graph.values[node.out].c;
  real.depth = node.weights.size() / real.channels;
  real.weights = node.weights;
  real.bias.assign(real.channels, 0);
  real.slope.assign(real.channels, 1);
  real.offset.assign(real.channels, 0);
  for (size_t c = 0; c < node.bias.size(); ++c) real.bias[c] = node.bias[c];
  if (layer.batch_norm < 0) return real;
  const graph::Node& norm = graph.nodes[layer.batch_norm];
  for (size_t c = 0; c < real.channels; ++c) {
    real.slope[c] = norm.gamma[c] / std::sqrt(static_cast<double>(norm.variance[c]) + norm.epsilon);
    real.bias[c] -= norm.mean[c];
    real.offset[c] = norm.beta[c];
  }
  return real;
}

RealChannels quantise_weighted(const RealLayer& real, const LayerScales& scales, plan::Flavour flavour,
                               WeightMethod method, bool half_step, IntOp& op,
                               std::vector<std::string>& repairs) {
  Maker maker(real, scales, half_step, op, repairs);
  switch (flavour) {
    case plan::Flavour::pl_fb: maker.folded(method); break;
    case plan::Flavour::pl_icn: maker.per_layer(method); break;
    case plan::Flavour::pc_icn:
    case plan::Flavour::pc_thresholds: maker.per_channel(method); break;
  }
  return maker.take();
}

}  // namespace mcusim::quantise
