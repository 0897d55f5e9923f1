// SPDX-License-Identifier: MIT
#include "quant/quantise/ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "memmap/base/error.h"
#include "quant/graph/execute.h"

namespace mcusim::quantise {
namespace {

constexpr size_t kBins = 2048;
constexpr int kCandidates = 100;  // clips tried between 1/100 and the whole range

size_t bin_of(const Distribution& d, float value) {
  const double place = (static_cast<double>(value) - d.min) / (static_cast<double>(d.max) - d.min);
  return std::min(kBins - 1, static_cast<size_t>(std::max(0.0, place * kBins)));
}

double squared_error(const Distribution& d, Range range, uint8_t bits, bool rounds) {
  const Affine affine = affine_of(range, bits);
  const double top = (1 << bits) - 1;
  double error = 0;
  for (size_t i = 0; i < d.bins.size(); ++i) {
    if (d.bins[i] == 0) continue;
    const double x = d.centre(i);
    const double step = x / affine.scale + affine.zero_point;
    const double q = std::clamp(std::floor(step + (rounds ? 0.5 : 0.0)), 0.0, top);
    const double difference = x - affine.scale * (q - affine.zero_point);
    error += static_cast<double>(d.bins[i]) * difference * difference;
  }
  return error;
}

Range least_squares(const Distribution& d, uint8_t bits, bool rounds) {
  Range best{};
  double least = std::numeric_limits<double>::infinity();
  for (int i = 1; i <= kCandidates; ++i) {
    const float part = static_cast<float>(i) / kCandidates;
    const Range range{std::min(0.0f, d.min) * part, std::max(0.0f, d.max) * part};
    const double error = squared_error(d, range, bits, rounds);
    if (error < least) {
      least = error;
      best = range;
    }
  }
  return best;
}

Range percentile(const Distribution& d, double share) {
  uint64_t total = 0;
  for (const uint64_t count : d.bins) total += count;
  const double outside = static_cast<double>(total) * (1 - share / 100);
  // The tails share the excess when there are two.
  const double tail = d.min < 0 ? outside / 2 : outside;
  const auto edge = [&](bool upper) {
    double seen = 0;
    for (size_t i = 0; i < d.bins.size(); ++i) {
      const size_t bin = upper ? d.bins.size() - 1 - i : i;
      seen += static_cast<double>(d.bins[bin]);
      if (seen > tail) return static_cast<float>(d.centre(bin));
    }
    return upper ? d.max : d.min;
  };
  return {d.min < 0 ? std::min(0.0f, edge(false)) : 0.0f, std::max(0.0f, edge(true))};
}

// Relative entropy of the first `used` bins, the rest gathered in the last of
// them, to the same seen through 2^bits levels.
double divergence(const std::vector<uint64_t>& bins, size_t used, uint8_t bits) {
  std::vector<double> p(bins.begin(), bins.begin() + static_cast<long>(used));
  const std::vector<double> inside = p;
  for (size_t i = used; i < bins.size(); ++i) p.back() += static_cast<double>(bins[i]);
  const size_t levels = size_t{1} << bits;
  std::vector<double> q(used);
  for (size_t level = 0; level < levels; ++level) {
    const size_t first = level * used / levels, last = (level + 1) * used / levels;
    double sum = 0, filled = 0;
    for (size_t i = first; i < last; ++i) {
      sum += inside[i];
      filled += p[i] > 0;
    }
    for (size_t i = first; i < last; ++i) q[i] = p[i] > 0 && filled > 0 ? sum / filled : 0;
  }
  double p_total = 0, q_total = 0, result = 0;
  for (size_t i = 0; i < used; ++i) {
    p_total += p[i];
    q_total += q[i];
  }
  if (q_total == 0) return std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < used; ++i)
    if (p[i] > 0) {
      // A level that nothing inside maps to still has to explain its values.
      const double share = std::max(q[i] / q_total, 1e-9);
      result += p[i] / p_total * std::log(p[i] / p_total / share);
    }
  return result;
}

Range entropy(Distribution d, uint8_t bits) {
  d.bins[0] = d.bins[1];  // what a relu cut off says nothing about the clip
  size_t best = kBins;
  double least = std::numeric_limits<double>::infinity();
  for (size_t used = std::max<size_t>(kBins / kCandidates, size_t{1} << bits); used <= kBins;
       used += 8) {
    const double value = divergence(d.bins, used, bits);
    if (value < least) {
      least = value;
      best = used;
    }
  }
  return {0, d.max * static_cast<float>(best) / kBins};
}

}  // namespace

std::vector<Distribution> observe(const graph::Graph& graph,
                                  const std::vector<std::vector<float>>& inputs,
                                  const std::function<void(size_t)>& progress) {
  if (inputs.empty()) throw Error("calibration: no inputs");
  graph::FloatExecutor executor(graph);
  std::vector<Distribution> all(graph.values.size());
  size_t done = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& values = executor.run(inputs[i]);
    for (size_t v = 0; v < all.size(); ++v)
      for (const float x : values[v]) {
        if (!std::isfinite(x))
          throw Error("calibration: input {}: '{}' becomes {}", i, graph.values[v].name, x);
        all[v].min = std::min(all[v].min, x);
        all[v].max = std::max(all[v].max, x);
      }
    if (progress) progress(++done);
  }
  for (auto& d : all) {
    d.bins.assign(kBins, 0);
    if (d.min == d.max) d.max = d.min + 1;  // constant zero
  }
  for (const auto& input : inputs) {
    const auto& values = executor.run(input);
    for (size_t v = 0; v < all.size(); ++v) {
      auto& means = all[v].channel_means;
      means.resize(graph.values[v].c);
      for (size_t k = 0; k < values[v].size(); ++k) {
        ++all[v].bins[bin_of(all[v], values[v][k])];
        means[k % means.size()] += values[v][k];
      }
    }
    if (progress) progress(++done);
  }
  for (size_t v = 0; v < all.size(); ++v)
    for (auto& mean : all[v].channel_means)
      mean /= static_cast<double>(inputs.size()) * graph.values[v].h * graph.values[v].w;
  return all;
}

RangeMethod parse_range_method(const std::string& text) {
  static const std::pair<const char*, RangeMethod> kMethods[] = {
      {"auto", RangeMethod::automatic},
      {"min-max", RangeMethod::min_max},
      {"percentile", RangeMethod::percentile},
      {"mse", RangeMethod::mse},
      {"kl", RangeMethod::kl}};
  for (const auto& [name, method] : kMethods)
    if (text == name) return method;
  throw Error("range method '{}' (known: auto, min-max, percentile, mse, kl)", text);
}

Range choose_range(const Distribution& d, uint8_t bits, const RangeOptions& options) {
  const bool two_sided = d.min < 0;
  const RangeMethod by_width = bits == 8 ? RangeMethod::mse : RangeMethod::kl;
  switch (options.method == RangeMethod::automatic ? by_width : options.method) {
    case RangeMethod::min_max: return {d.min, d.max};
    case RangeMethod::percentile: return percentile(d, options.percentile);
    case RangeMethod::kl:
      if (!two_sided) return entropy(d, bits);
      [[fallthrough]];
    case RangeMethod::automatic:
    case RangeMethod::mse: break;
  }
  return least_squares(d, bits, options.half_step);
}

Affine affine_of(Range range, uint8_t bits) {
  const float top = static_cast<float>((1 << bits) - 1);
  const float low = std::min(0.0f, range.low), high = std::max(0.0f, range.high);
  const float scale = high > low ? (high - low) / top : 1.0f;
  const float zero = std::round(-low / scale);
  return {scale, static_cast<int32_t>(std::clamp(zero, 0.0f, top))};
}

Range range_of(Affine affine, uint8_t bits) {
  const auto at = [&](int32_t stored) {
    return affine.scale * static_cast<float>(stored - affine.zero_point);
  };
  return {at(0), at((1 << bits) - 1)};
}

}  // namespace mcusim::quantise
