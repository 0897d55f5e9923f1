// SPDX-License-Identifier: MIT
// `mcusim quantize`: a float network and calibration inputs to a container that
// fits the given memories, and a report of what it cost per layer.
#include <fmt/format.h>
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/calibration.h"
#include "quant/cli/command.h"
#include "quant/cli/float_model.h"
#include "quant/cli/methods.h"
#include "quant/cli/plan_options.h"
#include "quant/pack/place.h"
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

struct Packed {
  plan::Widths widths;
  quantise::Converted converted;
  std::vector<uint8_t> file;
};

// The planner counts the papers' bytes; a container that comes out larger than the
// flash lowers the planner's limit by the excess and plans again.
Packed plan_and_pack(const Options& options, const graph::Graph& graph,
                     const graph::LayerGraph& layers, const plan::Problem& problem,
                     const std::vector<quantise::Distribution>& values,
                     const quantise::ConvertOptions& convert, const plan::Costs* costs) {
  PlanOptions limits = options.plan;
  uint64_t container_bytes = 0;
  const auto widths = [&] {
    try {
      return limits.choose(problem, costs);
    } catch (const Error&) {
      if (container_bytes == 0) throw;
      // The limit that failed is ours, not the user's.
      throw Error("{}: flash: the container takes {} B, {} B available; narrower weights do not "
                  "make up for it",
                  graph.name, container_bytes, options.plan.flash_bytes);
    }
  };
  for (;;) {
    Packed packed{widths(), {}, {}};
    packed.converted =
        quantise::convert(graph, layers, problem, packed.widths, values, convert);
    place_tensors(packed.converted.net);
    packed.file = encode(packed.converted.net);
    const uint32_t arena = packed.converted.net.arena_bytes;
    if (options.plan.ram_bytes && arena > options.plan.ram_bytes)
      throw Error("{}: RAM: the arena takes {} B, {} B available", graph.name, arena,
                  options.plan.ram_bytes);
    if (!options.plan.flash_bytes || packed.file.size() <= options.plan.flash_bytes) return packed;
    const uint64_t excess = packed.file.size() - options.plan.flash_bytes;
    const uint64_t counted = plan::paper_bytes(problem, packed.widths, limits.plan_mode());
    if (excess >= counted)
      throw Error("{}: flash: the container takes {} B, {} B available", graph.name,
                  packed.file.size(), options.plan.flash_bytes);
    limits.flash_bytes = counted - excess;
    container_bytes = packed.file.size();
  }
}

void report(const plan::Problem& problem, const Packed& packed,
            const quantise::Comparison& comparison) {
  fmt::print("{:<20} {:<7} {:>2} {:>2} {:>2} {:>10} {:>10} {:>7} {:>9} {:>9}\n", "layer", "method",
             "x", "w", "y", "low", "high", "SQNR dB", "weights B", "RAM B");
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    const auto& layer = problem.layers[i];
    const auto& row = packed.converted.layers[i];
    const bool weighted = layer.weights > 0;
    fmt::print("{:<20} {:<7} {:>2} {:>2} {:>2} {:>10.4g} {:>10.4g} {:>7.1f} {:>9} {:>9}\n",
               layer.name, weighted ? name_of(row.flavour) : "-",
               packed.widths.tensor_bits[layer.inputs[0]],
               weighted ? std::to_string(packed.widths.weight_bits[i]) : "-",
               packed.widths.tensor_bits[layer.output], row.range.low, row.range.high,
               comparison.sqnr_db[i], plan::weight_bytes(problem, packed.widths, i),
               plan::activation_bytes(problem, packed.widths, i));
  }
  for (const auto& repair : packed.converted.repairs) fmt::print("repaired: {}\n", repair);
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
  const Packed packed = plan_and_pack(with_mode, graph, layers, problem, values, convert,
                                      exact ? &costs : nullptr);
  write_file(options.output, packed.file);
  const auto comparison =
      quantise::compare(graph, layers, packed.converted.net, packed.file, set.samples);
  report(problem, packed, comparison);
  for (const auto& dropped : layers.dropped) fmt::print("left out: {}\n", dropped);
  const auto limit = [](uint64_t bytes) { return bytes ? fmt::format(" of {}", bytes) : ""; };
  fmt::print("flash: container {} B{}, paper_bytes {}\n", packed.file.size(),
             limit(options.plan.flash_bytes),
             method->flavour
                 ? plan::paper_bytes(problem, packed.widths, *method->flavour)
                 : plan::paper_bytes(problem, packed.widths, with_mode.plan.plan_mode()));
  fmt::print("RAM: arena {} B{}\n", packed.converted.net.arena_bytes,
             limit(options.plan.ram_bytes));
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
  command->add_option("-o,--output", options->output, "The container to write")->required();
  command->callback([options] { quantize(*options); });
}

}  // namespace mcusim::net_cli
