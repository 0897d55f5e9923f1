// SPDX-License-Identifier: MIT
#include "quant/cli/calibration.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "memmap/base/error.h"
#include "memmap/base/npy.h"

namespace mcusim::net_cli {
namespace {

// Whether the file runs channels first; both orders agree when one extent is all.
bool channels_first(const CalibrationOptions& options, const graph::Value& input,
                    const std::vector<uint64_t>& shape) {
  const std::vector<uint64_t> last = {input.h, input.w, input.c}, first = {input.c, input.h, input.w};
  const std::vector<uint64_t> given(shape.begin() + 1, shape.end());
  if (input.c == 1 || input.h * input.w == 1) return false;
  const bool can_last = given == last, can_first = given == first;
  if (options.layout == "nhwc" && can_last) return false;
  if (options.layout == "nchw" && can_first) return true;
  if (options.layout.empty() && can_first != can_last) return can_first;
  throw UsageError("{}: shape {} for an input of {} x {} x {} (h x w x c): {}", options.selector,
                   fmt::format("{}", fmt::join(given, "x")), input.h, input.w, input.c,
                   can_first && can_last ? "say --layout nhwc or nchw" : "does not match");
}

constexpr size_t kCostSamples = 32;  // of the set, for the losses of single tensors

}  // namespace

void CalibrationOptions::add_to(CLI::App& command, bool required, const char* name) {
  command.add_option(name, selector, "FILE[:array][first:last]")->required(required);
  command.add_option("--input-scale", scale, "real = scale * (x - zero point)")
      ->check(CLI::PositiveNumber);
  command.add_option("--input-zero-point", zero_point, "Zero point of the file's integers");
  command.add_option("--layout", layout, "Axis order of the inputs")
      ->check(CLI::IsMember({"nhwc", "nchw"}));
}

std::vector<std::vector<float>> real_inputs(const CalibrationSet& set) {
  std::vector<std::vector<float>> inputs;
  for (const auto& sample : set.samples) inputs.push_back(sample.real);
  return inputs;
}

void show_progress(const char* what, size_t done, size_t total) {
  if (isatty(STDERR_FILENO))
    fmt::print(stderr, "\r{} {}/{}{}", what, done, total, done == total ? "\n" : "");
}

plan::Costs measure_costs(const graph::Graph& graph, const graph::LayerGraph& layers,
                          const plan::Problem& problem,
                          const std::vector<quantise::Distribution>& values,
                          const quantise::ConvertOptions& options, const CalibrationSet& set) {
  auto samples = set.samples;
  samples.resize(std::min(samples.size(), kCostSamples));
  return quantise::measure_costs(
      graph, layers, problem, values, options, samples,
      [](size_t done, size_t all) { show_progress("measuring losses", done, all); });
}

CalibrationSet load_calibration(const CalibrationOptions& options, const graph::Graph& graph) {
  const NpyArray array = load_array(parse_selector(options.selector));
  const graph::Value& input = graph.values[graph.inputs[0]];
  const uint64_t size = input.elements();
  if (array.shape.empty() || array.elements() == 0 || array.elements() % size != 0 ||
      array.shape[0] != array.elements() / size)
    throw Error("{}: shape {} does not hold inputs of {} x {} x {} values", options.selector,
                fmt::format("{}", fmt::join(array.shape, "x")), input.h, input.w, input.c);
  const bool planar = channels_first(options, input, array.shape);
  const auto values = array.as_doubles();
  const bool integers = array.dtype == "|i1" || array.dtype == "|u1";
  if (integers && options.scale <= 0)
    throw UsageError("{}: integers need --input-scale (and --input-zero-point)", options.selector);

  CalibrationSet set;
  set.input_signed = array.dtype == "|i1";
  const int32_t offset = set.input_signed ? 128 : 0;
  if (options.scale > 0) {
    set.input = {static_cast<float>(options.scale), options.zero_point + offset};
  } else {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    set.input = quantise::affine_of({static_cast<float>(*least), static_cast<float>(*most)}, 8);
  }
  if (set.input.zero_point < 0 || set.input.zero_point > 255)
    throw UsageError("--input-zero-point {}: outside the 8 bits of the input", options.zero_point);
  const size_t area = size_t{input.h} * input.w;
  for (uint64_t n = 0; n < array.shape[0]; ++n) {
    quantise::Sample sample{std::vector<float>(size), std::vector<uint8_t>(size)};
    for (uint64_t i = 0; i < size; ++i) {
      const double value = values[n * size + (planar ? i % input.c * area + i / input.c : i)];
      if (!std::isfinite(value)) throw Error("{}: input {} holds {}", options.selector, n, value);
      if (integers) {
        sample.stored[i] = static_cast<uint8_t>(value + offset);
        sample.real[i] = set.input.scale * static_cast<float>(sample.stored[i] - set.input.zero_point);
      } else {
        const double step = std::nearbyint(value / set.input.scale) + set.input.zero_point;
        sample.stored[i] = static_cast<uint8_t>(std::clamp(step, 0.0, 255.0));
        sample.real[i] = static_cast<float>(value);
      }
    }
    set.samples.push_back(std::move(sample));
  }
  return set;
}

}  // namespace mcusim::net_cli
