// SPDX-License-Identifier: MIT
#include "quant/plan/exact_search.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "memmap/base/error.h"

namespace mcusim::plan {
namespace {

constexpr size_t kMaxFrontier = size_t{1} << 17;

size_t option_of(uint8_t bits) {
  return static_cast<size_t>(std::find(kWidths.begin(), kWidths.end(), bits) - kWidths.begin());
}

// ---- flash: the frontier of (bytes, loss) over the layers so far

struct Choice {
  uint64_t bytes = 0;
  double loss = 0;
  uint32_t before = 0;  // index into the previous frontier
  uint8_t bits = 0;
};
using Frontier = std::vector<Choice>;

// Keeps what no other choice beats in both bytes and loss.
void prune(Frontier& frontier) {
  std::sort(frontier.begin(), frontier.end(), [](const Choice& a, const Choice& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.loss < b.loss;
  });
  Frontier kept;
  double least = std::numeric_limits<double>::infinity();
  for (const Choice& choice : frontier)
    if (choice.loss < least) {
      least = choice.loss;
      kept.push_back(choice);
    }
  // Too many: of neighbours keep every second (and the ends), which stays feasible.
  while (kept.size() > kMaxFrontier) {
    Frontier half;
    for (size_t i = 0; i < kept.size(); ++i)
      if (i % 2 == 0 || i + 1 == kept.size()) half.push_back(kept[i]);
    kept = std::move(half);
  }
  frontier = std::move(kept);
}

std::optional<Shortfall> choose_weights(const Problem& problem, const Limits& limits, Mode mode,
                                        const Costs& costs, Widths& widths) {
  const Flavour flavour = mode == Mode::pc ? Flavour::pc_icn : Flavour::pl_icn;
  std::vector<Frontier> frontiers = {{Choice{}}};
  std::vector<size_t> layers;
  uint64_t least_bytes = 0;
  int largest = 0;
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    if (problem.layers[i].weights == 0) continue;
    layers.push_back(i);
    if (problem.layers[i].weights > problem.layers[largest].weights) largest = static_cast<int>(i);
    Frontier next;
    uint64_t least = std::numeric_limits<uint64_t>::max();
    for (size_t option = 0; option < kWidths.size(); ++option) {
      if (kWidths[option] < limits.min_weight_bits) continue;
      widths.weight_bits[i] = kWidths[option];
      const uint64_t bytes =
          weight_bytes(problem, widths, i) + parameter_bytes(problem, widths, i, flavour);
      least = std::min(least, bytes);
      const auto& before = frontiers.back();
      for (uint32_t k = 0; k < before.size(); ++k)
        if (before[k].bytes + bytes <= limits.flash_bytes)
          next.push_back({before[k].bytes + bytes, before[k].loss + costs.weights[i][option], k,
                          kWidths[option]});
    }
    least_bytes += least;
    prune(next);
    frontiers.push_back(std::move(next));
  }
  if (frontiers.back().empty()) {
    for (const size_t i : layers) widths.weight_bits[i] = limits.min_weight_bits;
    return Shortfall{"flash", largest, least_bytes, limits.flash_bytes};
  }
  // Losses fall as bytes grow along a frontier: its last entry loses least.
  size_t at = frontiers.back().size() - 1;
  for (size_t k = layers.size(); k-- > 0;) {
    const Choice& choice = frontiers[k + 1][at];
    widths.weight_bits[layers[k]] = choice.bits;
    at = choice.before;
  }
  return std::nullopt;
}

// ---- RAM: the best assignment for each combination of widths still alive

struct State {
  double loss = 0;
  std::vector<uint8_t> group_bits;  // 0: not yet chosen
};

class RamSearch {
 public:
  RamSearch(const Problem& problem, const Limits& limits, const Costs& costs)
      : problem_(problem), limits_(limits), costs_(costs) {}

  std::optional<Shortfall> run(Widths& widths) {
    std::vector<State> states = {{0, std::vector<uint8_t>(problem_.tensors.size(), 0)}};
    for (size_t i = 0; i < problem_.layers.size(); ++i) {
      std::vector<int> tensors = problem_.layers[i].inputs;
      tensors.push_back(problem_.layers[i].output);
      tensors.insert(tensors.end(), problem_.layers[i].held.begin(), problem_.layers[i].held.end());
      for (const int tensor : tensors) states = with_group(states, problem_.tensors[tensor].group);
      std::map<std::vector<uint8_t>, State> best;
      const std::set<int> alive = groups_after(i);
      for (auto& state : states) {
        if (bytes_of(state, tensors) > limits_.ram_bytes) continue;
        std::vector<uint8_t> key;
        for (const int group : alive) key.push_back(state.group_bits[group]);
        const auto [at, added] = best.try_emplace(key, state);
        if (!added && state.loss < at->second.loss) at->second = state;
      }
      if (best.empty()) {
        widths = all_at(problem_, limits_.min_activation_bits, 8);
        return Shortfall{"RAM", static_cast<int>(i), activation_bytes(problem_, widths, i),
                         limits_.ram_bytes};
      }
      states.clear();
      for (auto& [key, state] : best) states.push_back(std::move(state));
    }
    const auto& winner = *std::min_element(
        states.begin(), states.end(), [](const State& a, const State& b) { return a.loss < b.loss; });
    for (size_t t = 0; t < problem_.tensors.size(); ++t)
      if (const uint8_t bits = winner.group_bits[problem_.tensors[t].group])
        widths.tensor_bits[t] = bits;
    return std::nullopt;
  }

 private:
  // Every state with every width of a group that has none yet.
  std::vector<State> with_group(const std::vector<State>& states, int group) const {
    if (states.empty() || states[0].group_bits[group] != 0) return states;
    std::vector<State> result;
    for (const auto& state : states)
      for (size_t option = 0; option < kWidths.size(); ++option) {
        if (kWidths[option] < limits_.min_activation_bits) continue;
        State next = state;
        next.group_bits[group] = kWidths[option];
        bool allowed = true;
        for (size_t t = 0; t < problem_.tensors.size(); ++t)
          if (problem_.tensors[t].group == group) {
            next.loss += costs_.tensors[t][option];
            allowed &= kWidths[option] >= (problem_.tensors[t].fixed ? 8 : problem_.tensors[t].least_bits);
          }
        if (allowed) result.push_back(std::move(next));
      }
    return result;
  }

  uint64_t bytes_of(const State& state, const std::vector<int>& tensors) const {
    uint64_t bytes = 0;
    for (const int t : tensors)
      bytes += (problem_.tensors[t].elements * state.group_bits[problem_.tensors[t].group] + 7) / 8;
    return bytes;
  }

  // Groups that a later layer still reads, holds or shares its output's width with.
  std::set<int> groups_after(size_t index) const {
    std::set<int> groups;
    for (size_t i = index + 1; i < problem_.layers.size(); ++i) {
      const auto& layer = problem_.layers[i];
      for (const int t : layer.inputs) groups.insert(problem_.tensors[t].group);
      for (const int t : layer.held) groups.insert(problem_.tensors[t].group);
      groups.insert(problem_.tensors[layer.output].group);
    }
    return groups;
  }

  const Problem& problem_;
  const Limits& limits_;
  const Costs& costs_;
};

}  // namespace

double total_cost(const Problem& problem, const Widths& widths, const Costs& costs) {
  double sum = 0;
  for (size_t i = 0; i < problem.layers.size(); ++i)
    if (problem.layers[i].weights > 0) sum += costs.weights[i][option_of(widths.weight_bits[i])];
  for (size_t t = 0; t < problem.tensors.size(); ++t)
    sum += costs.tensors[t][option_of(widths.tensor_bits[t])];
  return sum;
}

Plan exact_search(const Problem& problem, const Limits& limits, Mode mode, const Costs& costs) {
  check(costs.weights.size() == problem.layers.size() &&
            costs.tensors.size() == problem.tensors.size(),
        "a cost per layer and tensor");
  Plan plan{mode, all_at(problem, 8, 8), std::nullopt};
  plan.shortfall = RamSearch(problem, limits, costs).run(plan.widths);
  if (!plan.shortfall)
    plan.shortfall = choose_weights(problem, limits, mode, costs, plan.widths);
  return plan;
}

}  // namespace mcusim::plan
