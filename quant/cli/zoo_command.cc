// SPDX-License-Identifier: MIT
// `mcusim zoo`: an integer network made by rule, at any width and resolution,
// with a bit plan from a file or from the limits of a memory.
#include <fmt/format.h>

#include "memmap/base/file.h"
#include "quant/cli/command.h"
#include "quant/cli/plan_options.h"
#include "quant/import/onnx_write.h"
#include "quant/pack/place.h"
#include "quant/zoo/rule_net.h"
#include "quant/zoo/rule_weights.h"
#include "quant/zoo/zoo.h"

namespace mcusim::net_cli {
namespace {

struct ZooOptions {
  std::string name, output;
  double width = 1.0;
  uint32_t resolution = 224;
  uint64_t seed = 1;
  bool onnx = false;
  PlanOptions plan;
};

void make(const ZooOptions& options) {
  auto graph = zoo::family(options.name).build(options.width, options.resolution);
  if (options.onnx) {
    zoo::fill_weights(graph, options.seed);
    const auto bytes = import::format_onnx(graph);
    write_file(options.output, bytes);
    fmt::print("{}: float, {} nodes, {} B -> {}\n", graph.name, graph.nodes.size(), bytes.size(),
               options.output);
    return;
  }
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto widths = options.plan.choose(problem);
  const auto mode = options.plan.plan_mode();
  IntNet net = zoo::rule_net(graph, layers, problem, widths, mode, options.seed);
  place_tensors(net);
  const auto file = encode(net);
  write_file(options.output, file);
  fmt::print("{}: {} layers, container {} B (paper_bytes {}), arena {} B -> {}\n", graph.name,
             net.ops.size(), file.size(), plan::paper_bytes(problem, widths, mode), net.arena_bytes,
             options.output);
}

}  // namespace

void add_zoo(CLI::App& app, int*) {
  auto* command = app.add_subcommand("zoo", "Make a network by rule: a known shape, made weights");
  auto options = std::make_shared<ZooOptions>();
  std::vector<std::string> names;
  for (const auto& family : zoo::families()) names.push_back(family.name);
  command->add_option("name", options->name, "The network")->required()->check(CLI::IsMember(names));
  command->add_option("--width", options->width, "Width multiplier")
      ->check(CLI::Range(0.01, 4.0))
      ->capture_default_str();
  command->add_option("--resolution", options->resolution, "Input height and width")
      ->check(CLI::Range(16, 1024))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Seed of the weights")->capture_default_str();
  command->add_flag("--onnx", options->onnx, "Write a float ONNX model instead");
  options->plan.add_limits(*command);
  options->plan.add_mode(*command);
  command->add_option("-o,--output", options->output, "The file to write")->required();
  command->callback([options] { make(*options); });
}

}  // namespace mcusim::net_cli
