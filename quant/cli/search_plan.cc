// SPDX-License-Identifier: MIT
#include "quant/cli/search_plan.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/eval/evaluate.h"
#include "quant/eval/evaluate_float.h"
#include "quant/search/plan_score.h"
#include "quant/search/plot.h"

namespace mcusim::net_cli {
namespace {

constexpr size_t kWriteEvery = 10;  // new scores between two writes of the log

uint64_t hash(const void* bytes, size_t count, uint64_t value) {  // FNV-1a
  for (size_t i = 0; i < count; ++i)
    value = (value ^ static_cast<const uint8_t*>(bytes)[i]) * 0x100000001B3u;
  return value;
}

// What a score depends on besides the widths.
std::string fingerprint(const graph::Graph& graph, const CalibrationSet& set,
                        const std::vector<int64_t>& labels, const std::string& mode) {
  uint64_t value = 0xCBF29CE484222325u;
  const auto add = [&](const auto& values) {
    value = hash(values.data(), values.size() * sizeof values[0], value);
  };
  add(mode);
  for (const auto& node : graph.nodes)
    for (const auto* values : {&node.weights, &node.bias, &node.gamma, &node.beta, &node.mean,
                               &node.variance})
      add(*values);
  for (const auto& sample : set.samples) add(sample.real);
  add(labels);
  return fmt::format("{:016x}", value);
}

}  // namespace

void SearchPlanOptions::add_to(CLI::App& command) {
  command.add_option("--labels", labels,
                     "rl, random: classes of the calibration inputs (FILE[:array][range], or an array "
                     "of the same file); without, those that the float network gives them");
  command.add_option("--episodes", episodes, "rl, random: plans to try")
      ->check(CLI::Range(1, 1000000))->capture_default_str();
  command.add_option("--seed", seed, "rl, random: of all random choices")->capture_default_str();
  command.add_option("--cycle-weight", cycle_weight,
                     "rl, random: reward lost per million extra cycles, with --cycles")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--scores", scores_path,
                     "rl, random: file of measured plans; a search that was killed continues from it");
  command.add_option("--plot", plot_path, "rl, random: write the rewards as .svg");
}

plan::Widths search_plan(const SearchPlanOptions& options, const PlanOptions& plan,
                         const CalibrationOptions& calibration, const graph::Graph& graph,
                         const graph::LayerGraph& layers, const plan::Problem& problem,
                         const plan::Costs* cycles) {
  if (calibration.selector.empty())
    throw UsageError("plan: --method {} measures plans: give --calibration", plan.search);
  const search::Environment environment(graph, layers, problem, plan.limits(), plan.plan_mode());
  const auto set = load_calibration(calibration, graph);
  const auto inputs = real_inputs(set);
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<int64_t> labels;
  if (options.labels.empty())
    for (const uint32_t label : float_top1(graph, inputs, threads)) labels.push_back(label);
  else
    labels = load_labels(options.labels, calibration.selector, set.samples.size());

  quantise::ConvertOptions convert;
  convert.input = set.input;
  convert.input_signed = set.input_signed;
  if (plan.plan_mode() == plan::Mode::pl) convert.flavour = plan::Flavour::pl_icn;
  const auto values = quantise::observe(graph, inputs);
  const search::PlanScorer scorer(graph, layers, problem, values, convert, set.samples, labels, threads);
  search::ScoreLog log(options.scores_path, fingerprint(graph, set, labels, plan.mode));
  if (log.size() > 0) fmt::print(stderr, "{}: {} plans are known\n", options.scores_path, log.size());

  size_t added = 0;
  const auto measure = [&](const plan::Widths& widths) {
    if (const auto* known = log.find(widths)) return *known;
    const auto score = scorer.measure(widths);
    log.add(widths, score);
    if (++added % kWriteEvery == 0) log.write();
    return score;
  };
  // Accuracy moves in whole inputs; cross-entropy tells equal ones apart.
  const auto eight = measure(plan::all_at(problem, 8, 8));
  const double count = static_cast<double>(labels.size());
  const auto reward = [&](const plan::Widths& widths) {
    const auto score = measure(widths);
    const double points = 100 * (static_cast<double>(score.correct) - static_cast<double>(eight.correct)) / count;
    double result = 0.1 * points - 0.1 * (score.cross_entropy - eight.cross_entropy);
    if (cycles) result -= options.cycle_weight * 1e-6 * plan::total_cost(problem, widths, *cycles);
    return result;
  };
  const auto rule = plan::rule_search(problem, plan.limits(), plan.plan_mode()).widths;
  const double rule_reward = reward(rule);

  search::SearchOptions search_options;
  search_options.strategy =
      plan.search == "rl" ? search::Strategy::reinforcement : search::Strategy::random;
  search_options.episodes = options.episodes;
  search_options.seed = options.seed;
  search_options.first_actions = environment.actions_of(rule);
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto result = search::search(environment, reward, search_options, [&](const auto& so_far) {
    const size_t done = so_far.episodes.size();
    if (!terminal && done % 25 != 0 && done != options.episodes) return;
    const auto& best = so_far.episodes[so_far.best];
    fmt::print(stderr, "{}episode {}/{}: reward {:+.3f}, best {:+.3f} ({}/{} right){}",
               terminal ? "\r" : "", done, options.episodes, so_far.episodes.back().reward,
               best.reward, measure(best.widths).correct, labels.size(),
               terminal && done < options.episodes ? "  " : "\n");
  });
  log.write();

  const auto& best = result.episodes[result.best];
  const auto row = [&](const char* name, const plan::Widths& widths) {
    const auto score = measure(widths);
    fmt::print("{:<18} {:>6}/{} right, cross-entropy {:.4f}, reward {:+.3f}\n", name, score.correct,
               labels.size(), score.cross_entropy, reward(widths));
  };
  row("all at 8 bits", plan::all_at(problem, 8, 8));
  row("rule", rule);
  row(plan.search == "rl" ? "rl" : "random", best.widths);
  fmt::print("best at episode {} of {}, {} plans measured\n", result.best + 1, options.episodes, added);
  if (!options.plot_path.empty()) {
    write_file(options.plot_path,
               search::plot(result, fmt::format("{}: --method {}, seed {}", graph.name, plan.search, options.seed),
                            {{"rule", rule_reward}, {"8 bits", 0.0}}));
    fmt::print("-> {}\n", options.plot_path);
  }
  return best.widths;
}

}  // namespace mcusim::net_cli
