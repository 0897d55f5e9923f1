// SPDX-License-Identifier: MIT
// `mcusim quantize`: a float network and calibration inputs to a container that
// fits the given memories, and a report of what it cost per layer.
#include <fmt/format.h>
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/calibration.h"
#include "quant/cli/command.h"
#include "quant/cli/fit.h"
#include "quant/cli/float_model.h"
#include "quant/cli/methods.h"
#include "quant/cli/plan_options.h"
#include "quant/plan/bits_file.h"
#include "quant/quantise/convert.h"

namespace mcusim::net_cli {
namespace {

struct Options {
  std::string model, output, method = "pc-icn", ranges = "auto", weights = "least-squares";
  double percentile = 99.99;
  bool no_half_step = false, no_bias_correction = false;
  CalibrationOptions calibration;
  PlanOptions plan;
};

// How exactly integers follow the fake-quantised network (column LSB: largest distance).
void print_steps(const quantise::Comparison& comparison) {
  quantise::StepCount grid, trained;
  const auto total = [](quantise::StepCount& sum, const std::vector<quantise::StepCount>& layers) {
    for (const auto& layer : layers) {
      sum.values += layer.values;
      sum.different += layer.different;
      sum.largest = std::max(sum.largest, layer.largest);
    }
  };
  total(grid, comparison.on_grid);
  total(trained, comparison.as_trained);
  fmt::print("against fake quantisation, {} values: {} differ, by at most {} LSB; with biases off the "
             "accumulator's grid {}, by at most {}\n",
             grid.values, grid.different, grid.largest, trained.different, trained.largest);
}

void report(const plan::Problem& problem, const Fitted& fitted, const quantise::Converted& converted,
            const quantise::Comparison& comparison) {
  fmt::print("{:<20} {:<7} {:>2} {:>2} {:>2} {:>10} {:>10} {:>7} {:>3} {:>9} {:>9}\n", "layer", "method",
             "x", "w", "y", "low", "high", "SQNR dB", "LSB", "weights B", "RAM B");
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    const auto& layer = problem.layers[i];
    const auto& row = converted.layers[i];
    const bool weighted = layer.weights > 0;
    fmt::print("{:<20} {:<7} {:>2} {:>2} {:>2} {:>10.4g} {:>10.4g} {:>7.1f} {:>3} {:>9} {:>9}\n",
               layer.name, weighted ? name_of(row.flavour) : "-",
               fitted.widths.tensor_bits[layer.inputs[0]],
               weighted ? std::to_string(fitted.widths.weight_bits[i]) : "-",
               fitted.widths.tensor_bits[layer.output], row.range.low, row.range.high,
               comparison.sqnr_db[i], comparison.on_grid[i].largest, plan::weight_bytes(problem, fitted.widths, i),
               plan::activation_bytes(problem, fitted.widths, i));
  }
  print_steps(comparison);
  for (const auto& repair : converted.repairs) fmt::print("repaired: {}\n", repair);
}

void quantize(const Options& options) {
  const MethodRow* method = &method_named(options.method);
  const auto graph = load_float_model(options.model);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto set = load_calibration(options.calibration, graph);

  const auto inputs = real_inputs(set);
  const auto values = quantise::observe(graph, inputs, [&](size_t done) {
    show_progress("calibrating", done, 2 * inputs.size());
  });
  quantise::ConvertOptions convert;
  convert.flavour = method->flavour;
  convert.weights = quantise::parse_weight_method(options.weights);
  convert.ranges = {quantise::parse_range_method(options.ranges), options.percentile,
                    !options.no_half_step};
  convert.bias_correction = !options.no_bias_correction;
  convert.input = set.input;
  convert.input_signed = set.input_signed;

  Options with_mode = options;
  with_mode.plan.mode = method->mode;
  plan::Costs costs;
  const bool exact = options.plan.exact() && options.plan.bits_path.empty();
  if (exact) costs = measure_costs(graph, layers, problem, values, convert, set);
  quantise::Converted converted;
  const Fitted fitted = fit(with_mode.plan, problem, exact ? &costs : nullptr,
                            [&](const plan::Widths& widths) {
                              converted = quantise::convert(graph, layers, problem, widths, values,
                                                            convert);
                              return converted.net;
                            });
  write_file(options.output, fitted.file);
  const auto comparison =
      quantise::compare(graph, layers, fitted.net, converted.layers, fitted.file, set.samples);
  report(problem, fitted, converted, comparison);
  for (const auto& dropped : layers.dropped) fmt::print("left out: {}\n", dropped);
  fmt::print("paper_bytes: flash {}, RAM peak {}\n",
             method->flavour
                 ? plan::paper_bytes(problem, fitted.widths, *method->flavour)
                 : plan::paper_bytes(problem, fitted.widths, with_mode.plan.plan_mode()),
             plan::peak_activation_bytes(problem, fitted.widths));
  print_fit(with_mode.plan, fitted);
  fmt::print("top-1 as the float network: {}/{} of the calibration inputs\n-> {}\n",
             comparison.same_top1, comparison.samples, options.output);
}

}  // namespace

void add_quantize(CLI::App& app, int*) {
  auto* command = app.add_subcommand("quantize", "Quantise a float network for given memories");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "model.onnx")->required();
  options->calibration.add_to(*command, true);
  command->add_option("--method", options->method, "Arithmetic of the layers")
      ->check(CLI::IsMember(method_names()))
      ->capture_default_str();
  command->add_option("--ranges", options->ranges, "Activation clips")
      ->check(CLI::IsMember({"auto", "min-max", "percentile", "mse", "kl"}))
      ->capture_default_str();
  command->add_option("--percentile", options->percentile, "Of --ranges percentile")
      ->check(CLI::Range(50.0, 100.0))
      ->capture_default_str();
  command->add_option("--weights", options->weights, "Weight steps")
      ->check(CLI::IsMember({"min-max", "least-squares"}))
      ->capture_default_str();
  command->add_flag("--no-half-step", options->no_half_step, "Plain floor, for networks trained so");
  command->add_flag("--no-bias-correction", options->no_bias_correction, "Biases as trained");
  options->plan.add_limits(*command);
  options->plan.add_search(*command, "--search");
  options->plan.add_count(*command);
  command->add_option("-o,--output", options->output, "The container to write")->required();
  command->callback([options] { quantize(*options); });
}

}  // namespace mcusim::net_cli
