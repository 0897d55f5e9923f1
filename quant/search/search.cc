// SPDX-License-Identifier: MIT
#include "quant/search/search.h"

#include <cmath>
#include <map>

#include "memmap/base/error.h"

namespace mcusim::search {

SearchResult search(const Environment& environment,
                    const std::function<double(const plan::Widths&)>& score,
                    const SearchOptions& options,
                    const std::function<void(const SearchResult&)>& on_episode) {
  const size_t steps = environment.steps().size();
  if (steps == 0) throw Error("search: the network has no width to choose");
  check(options.first_actions.empty() || options.first_actions.size() == steps, "an action per step");
  Agent agent(options.agent, options.seed);
  std::map<std::vector<uint8_t>, double> known;
  SearchResult result;
  for (unsigned episode = 0; episode < options.episodes; ++episode) {
    agent.begin_episode(episode);
    zoo::Random random(options.seed * 0x9E3779B97F4A7C15u + ~uint64_t{episode});
    const bool given = episode == 0 && !options.first_actions.empty();
    std::vector<State> states;
    std::vector<double> actions;
    for (size_t i = 0; i < steps; ++i) {
      states.push_back(environment.state(i, i == 0 ? 1.0 : actions.back()));
      actions.push_back(given ? options.first_actions[i]
                        : options.strategy == Strategy::random ? random.real(0, 1)
                                                               : agent.act(states.back()));
    }
    const auto widths = environment.plan(actions);
    auto key = widths.weight_bits;
    key.insert(key.end(), widths.tensor_bits.begin(), widths.tensor_bits.end());
    auto found = known.find(key);
    if (found == known.end()) found = known.emplace(key, score(widths)).first;
    const double reward = found->second;
    if (!std::isfinite(reward)) throw Error("search: episode {}: a reward of {}", episode + 1, reward);
    result.episodes.push_back({widths, reward});
    if (reward > result.episodes[result.best].reward) result.best = result.episodes.size() - 1;
    if (options.strategy == Strategy::reinforcement) agent.finish_episode(states, actions, reward);
    if (on_episode) on_episode(result);
  }
  return result;
}

}  // namespace mcusim::search
