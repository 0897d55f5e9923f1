// SPDX-License-Identifier: MIT
#include "quant/cli/patch_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/float_model.h"
#include "quant/cli/patch_search.h"
#include "quant/eval/evaluate.h"
#include "quant/pack/net_file.h"
#include "quant/pack/place.h"
#include "quant/patch/cost.h"
#include "quant/patch/plan_file.h"
#include "quant/patch/vdqs.h"
#include "quant/quantise/structure.h"

namespace mcusim::net_cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

bool has_weights(const std::string& model) {
  return std::filesystem::exists(model) && !is_float_model(model);
}

// Counting needs shapes only, so float models count as 8 bits everywhere.
IntNet structure_or_net(const std::string& model) {
  if (has_weights(model)) return load_net_file(model).net;
  const auto graph = load_float_model(model);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  IntNet net = quantise::structure_of(graph, layers, problem, plan::all_at(problem, 8, 8));
  place_tensors(net);
  return net;
}

Json cost_json(const patch::Cost& c) {
  return {{"format", "mcusim-patch-plan"},
          {"version", 1},
          {"patch", patch::format_choice(c.choice)},
          {"stage_output", c.stage_output},
          {"stage_output_cells", {c.output_h, c.output_w}},
          {"input_tile_cells", {c.input_h, c.input_w}},
          {"operators", c.operators},
          {"arena_before_bytes", c.arena_before_bytes},
          {"arena_bytes", c.arena_bytes},
          {"published_before_bytes", c.published_before_bytes},
          {"published_bytes", c.published_bytes},
          {"stage_before_macs", c.stage_before_macs},
          {"stage_macs", c.stage_macs},
          {"stage_full_tile_macs", c.stage_full_macs},
          {"total_before_macs", c.total_before_macs},
          {"total_macs", c.total_macs}};
}

void print_cost(const std::string& name, const patch::Cost& c) {
  fmt::print("{}: {}x{} tiles of {} ({}x{}), {} blocks; a full tile reads {}x{} input cells\n", name,
             c.choice.rows, c.choice.columns, c.stage_output, c.output_h, c.output_w,
             c.choice.blocks, c.input_h, c.input_w);
  fmt::print("{:<34} {:>13} {:>13}\n", "", "by layer", "by patch");
  const auto row = [](const char* what, uint64_t before, uint64_t after) {
    fmt::print("{:<34} {:>13} {:>13} {:>+7.1f}%\n", what, before, after,
               100 * patch::Cost::ratio(after, before));
  };
  row("arena, bytes", c.arena_before_bytes, c.arena_bytes);
  row("peak as published, bytes", c.published_before_bytes, c.published_bytes);
  row("MACs of the stage", c.stage_before_macs, c.stage_macs);
  row("MACs of the stage, full tiles", c.stage_before_macs, c.stage_full_macs);
  row("MACs of the network", c.total_before_macs, c.total_macs);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Tiles as a map: 8 where outliers keep the branch at 8 bits, else its widths.
void print_branches(const patch::Patched& tiles, const std::vector<patch::PatchClass>& classes,
                    const std::vector<patch::Format>& formats, uint32_t columns) {
  // The operators behind the stage come last.
  std::vector<std::map<int, int, std::greater<>>> counts(classes.size() + 1);
  for (size_t i = 0; i < tiles.net.ops.size(); ++i) {
    const auto at = i < tiles.tile_ops ? static_cast<size_t>(tiles.tile_of[i]) : classes.size();
    ++counts[at][formats[static_cast<size_t>(tiles.net.ops[i].in0)].bits];
  }
  const auto text = [](const auto& by_bits) {
    std::string widths;
    for (const auto& [bits, count] : by_bits) widths += fmt::format("  {}x{}", count, bits);
    return widths;
  };
  fmt::print("tile   outlier values  maps read, by bits\n");
  for (size_t t = 0; t < classes.size(); ++t) {
    fmt::print("{:>2},{:<2}  {:>12.2f} %  {}{}\n", t / columns, t % columns,
               100 * classes[t].outlier_share, classes[t].outlier ? "  outlier" : "         ",
               text(counts[t]));
  }
  fmt::print("behind the stage                {}\n", text(counts.back()));
}

Json formats_json(const IntNet& net, const std::vector<patch::Format>& formats) {
  Json rows = Json::array();
  for (const auto& named : patch::changes(net, formats))
    rows.push_back({{"id", named.id},
                    {"tensor", named.tensor},
                    {"bits", named.format.bits},
                    {"step", named.format.step},
                    {"zero_point", named.format.zero_point}});
  return rows;
}

// Widths of the feature maps, printed and added to `json`.
void plan_widths(const PatchOptions& options, const PatchRequest& request, const IntNet& net,
                 const patch::Choice& choice, Json& json) {
  if (!has_weights(request.model))
    throw UsageError("plan: --quantmcu needs an integer network (see `mcusim quantize`)");
  if (request.samples.empty()) throw UsageError("plan: --quantmcu measures maps: give --calibration");
  const Samples samples = load_samples(net, request.samples, 0);
  patch::Patched tiles = patch::patched(net, choice);
  place_tensors(tiles.net);
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::vector<uint8_t>> inputs;
  for (uint64_t i = 0; i < samples.count; ++i)
    inputs.push_back(stored_values(net.tensors[net.inputs[0]], samples.array, i, samples.name));
  const auto started = Clock::now();
  const auto observed = patch::observe(tiles, inputs, threads);
  const double observing = seconds_since(started);
  const auto searched = Clock::now();
  const double threshold = options.outlier_share >= 0 ? options.outlier_share : 2 * (1 - options.phi);
  const auto classes = patch::classify(observed, options.phi, threshold);
  patch::VdqsOptions search;
  if (options.lambda >= 0) search.lambda = options.lambda;
  search.reduction = options.reduction;
  search.ram_bytes = request.ram_bytes;
  search.least_bits = static_cast<uint8_t>(request.least_bits);
  const auto found = patch::assign(tiles, observed, classes, search);
  const double searching = seconds_since(searched);

  IntNet narrow = patch::narrowed(tiles.net, found.formats);
  place_tensors(narrow);
  const auto before = evaluate_host(encode(tiles.net), samples, threads);
  const auto after = evaluate_host(encode(narrow), samples, threads);
  const auto best_before = top1(before), best_after = top1(after);
  uint64_t same = 0;
  double signal = 0, noise = 0;
  const IntTensor& output = net.tensors[net.outputs.at(0)];
  for (size_t i = 0; i < before.size(); ++i) {
    same += best_before[i] == best_after[i];
    for (size_t k = 0; k < before[i].size(); ++k) {
      signal += std::pow(before[i][k] - output.zero_point, 2);
      noise += std::pow(before[i][k] - after[i][k], 2);
    }
  }
  const double sqnr_db = 10 * std::log10(signal / std::max(noise, 1e-9));

  print_branches(tiles, classes, found.formats, choice.columns);
  const auto ratio = [](uint64_t a, uint64_t b) { return static_cast<double>(a) / static_cast<double>(b); };
  fmt::print("BitOPs of the network {} -> {} ({:.2f} times fewer), of the stage {} -> {} ({:.2f})\n",
             found.bitops_8, found.bitops, ratio(found.bitops_8, found.bitops),
             found.stage_bitops_8, found.stage_bitops, ratio(found.stage_bitops_8, found.stage_bitops));
  fmt::print("arena {} -> {} B, lambda {:.4f}\n", tiles.net.arena_bytes, narrow.arena_bytes, found.lambda);
  fmt::print("top-1 as the 8-bit network: {}/{} of the calibration inputs, outputs {:.1f} dB\n", same,
             before.size(), sqnr_db);
  fmt::print("observing {:.1f} s, search {:.2f} s\n", observing, searching);
  json["quantmcu"] = {{"phi", options.phi},
                      {"outlier_share", threshold},
                      {"lambda", found.lambda},
                      {"bitops_8_bits", found.bitops_8},
                      {"bitops", found.bitops},
                      {"stage_bitops_8_bits", found.stage_bitops_8},
                      {"stage_bitops", found.stage_bitops},
                      {"arena_bytes", narrow.arena_bytes},
                      {"same_top1", same},
                      {"samples", before.size()},
                      {"output_sqnr_db", sqnr_db}};
  for (const auto& c : classes) json["quantmcu"]["outlier_tiles"].push_back(c.outlier);
  json["formats"] = formats_json(tiles.net, found.formats);
}

}  // namespace

void PatchOptions::add_to(CLI::App& command) {
  auto* tiles = command.add_option(
      "--patch", patch,
      "Plan tiles instead of widths: ROWSxCOLUMNS@BLOCKS, or auto: least cycles within --ram, simulated on --board");
  auto* mixed = command.add_flag("--quantmcu", quantmcu,
                                 "Widths of feature maps per tile: 8 bits where outliers are")
                    ->needs(tiles);
  command.add_option("--phi", phi, "Central mass beyond which input values are outliers")
      ->check(CLI::Range(0.01, 0.9999))
      ->capture_default_str()
      ->needs(mixed);
  command.add_option("--outlier-share", outlier_share,
                     "A tile with a larger share of outliers keeps 8 bits [2 * (1 - phi)]")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(mixed);
  auto* weight = command.add_option("--lambda", lambda, "Weight of entropy against BitOPs, 0 to 1")
                     ->check(CLI::Range(0.0, 1.0))
                     ->needs(mixed);
  command.add_option("--reduction", reduction,
                     "Without --lambda: the least loss of entropy with so many times fewer BitOPs")
      ->check(CLI::Range(1.0, 4.0))
      ->capture_default_str()
      ->needs(mixed)
      ->excludes(weight);
}

void plan_patch(const PatchOptions& options, const PatchRequest& request) {
  const IntNet net = structure_or_net(request.model);
  patch::Choice choice;
  if (options.patch == "auto") {
    if (!has_weights(request.model))
      throw UsageError("plan: --patch auto simulates: it needs an integer network");
    if (!request.ram_bytes) throw UsageError("plan: --patch auto needs --ram");
    choice = search_patch(net, request.ram_bytes, request.board);
  } else {
    choice = patch::parse_choice(options.patch);
  }
  const patch::Cost cost = patch::cost_of(net, choice);
  print_cost(net.name, cost);
  Json json = cost_json(cost);
  if (options.quantmcu) plan_widths(options, request, net, choice, json);
  if (request.output.empty()) return;
  write_file(request.output, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  fmt::print("-> {}\n", request.output);
}

}  // namespace mcusim::net_cli
