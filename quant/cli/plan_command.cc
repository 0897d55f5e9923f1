// SPDX-License-Identifier: MIT
// `mcusim plan`: the widths of every weight and activation tensor that make a
// network fit a memory, as a table, a picture and a file.
#include <fmt/format.h>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/calibration.h"
#include "quant/cli/command.h"
#include "quant/cli/fit.h"
#include "quant/cli/float_model.h"
#include "quant/cli/patch_plan.h"
#include "quant/cli/plan_options.h"
#include "quant/cli/search_plan.h"
#include "quant/plan/bits_file.h"
#include "quant/plan/latency.h"
#include "quant/quantise/placeholder.h"

namespace mcusim::net_cli {
namespace {

struct Options {
  std::string model, output, objective = "accuracy";
  std::vector<std::string> cycles;  // run reports
  CalibrationOptions calibration;
  PlanOptions plan;
  SearchPlanOptions tries;
  PatchOptions patch;
};

// What each width costs this network, under the default arithmetic of the mode.
plan::Costs losses(const Options& options, const graph::Graph& graph,
                   const graph::LayerGraph& layers, const plan::Problem& problem) {
  if (options.calibration.selector.empty())
    throw UsageError("plan: --method exact measures losses: give --calibration");
  const auto set = load_calibration(options.calibration, graph);
  quantise::ConvertOptions convert;
  convert.input = set.input;
  convert.input_signed = set.input_signed;
  if (options.plan.plan_mode() == plan::Mode::pl) convert.flavour = plan::Flavour::pl_icn;
  return measure_costs(graph, layers, problem, quantise::observe(graph, real_inputs(set)), convert,
                       set);
}

plan::Costs cycle_costs(const Options& options, const plan::Problem& problem) {
  if (options.cycles.empty())
    throw UsageError("plan: --objective latency needs --cycles: reports of `mcusim run --json`");
  std::vector<plan::RunReport> reports;
  for (const auto& path : options.cycles) reports.push_back({path, read_text_file(path)});
  return plan::latency_costs(problem, reports);
}

void plan_model(const Options& options) {
  if (!options.patch.patch.empty())
    return plan_patch(options.patch, {options.model, options.output, options.plan.board,
                                      options.plan.ram_bytes,
                                      options.plan.min_activation_bits,
                                      options.calibration.selector});
  if (!options.plan.flash_bytes || !options.plan.ram_bytes)
    throw UsageError("plan: --flash and --ram are required for widths");
  const auto graph = load_float_model(options.model);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  plan::Costs costs;
  if (options.objective == "latency" && !options.plan.exact())
    throw UsageError("plan: --objective latency needs --method exact");
  if (options.plan.exact())
    costs = options.objective == "latency" ? cycle_costs(options, problem)
                                           : losses(options, graph, layers, problem);
  if (options.plan.tries() && !options.cycles.empty()) costs = cycle_costs(options, problem);
  const auto mode = options.plan.plan_mode();
  const auto make = [&](const plan::Widths& widths) {
    return quantise::placeholder_net(graph, layers, problem, widths, mode);
  };
  const auto fitted =
      options.plan.tries()
          ? measured(options.plan,
                     search_plan(options.tries, options.plan, options.calibration, graph, layers,
                                 problem, options.cycles.empty() ? nullptr : &costs),
                     make)
          : fit(options.plan, problem, options.plan.exact() ? &costs : nullptr, make);
  print_plan(problem, fitted.widths, mode, options.plan.ram_bytes);
  print_fit(options.plan, fitted);
  for (const auto& dropped : layers.dropped) fmt::print("left out: {}\n", dropped);
  if (options.output.empty()) return;
  write_file(options.output, plan::format_bits(problem, fitted.widths));
  fmt::print("-> {}\n", options.output);
}

}  // namespace

void add_plan(CLI::App& app, int*) {
  auto* command = app.add_subcommand("plan", "Find the bit widths, or the tiles, that make a network fit");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "model.onnx, or one of the zoo: mobilenet_v1_224_0.75")
      ->required();
  options->plan.add_limits(*command);
  options->plan.add_mode(*command);
  options->plan.add_search(*command, "--method", true);
  options->tries.add_to(*command);
  options->plan.add_count(*command);
  command->add_option("--objective", options->objective, "What --method exact minimises")
      ->check(CLI::IsMember({"accuracy", "latency"}))
      ->capture_default_str();
  command->add_option("--cycles", options->cycles,
                      "Run reports of this network at 8 bits and with narrow weights or activations");
  options->calibration.add_to(*command, false);
  options->patch.add_to(*command);
  command->remove_option(command->get_option("--bits"));
  command->add_option("-o,--output", options->output, "Write the plan (JSON for --bits or --patch)");
  command->callback([options] { plan_model(*options); });
}

}  // namespace mcusim::net_cli
