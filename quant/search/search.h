// SPDX-License-Identifier: MIT
// Searches that try plans: by reinforcement learning, or at random as the yardstick.
// Both see the same environment, walls and scores.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "quant/search/environment.h"

namespace mcusim::search {

enum class Strategy { reinforcement, random };

struct SearchOptions {
  Strategy strategy = Strategy::reinforcement;
  unsigned episodes = 300;
  uint64_t seed = 1;
  AgentOptions agent;
  // Of the first episode, one per step: a known plan to start from. Empty: chosen.
  std::vector<double> first_actions;
};

struct Episode {
  plan::Widths widths;
  double reward = 0;
};

struct SearchResult {
  std::vector<Episode> episodes;
  size_t best = 0;                     // the first episode of the largest reward
};

// `score` is asked once per different plan. `on_episode` (may be empty) sees every
// finished episode. Deterministic: equal seeds and scores give equal episodes.
SearchResult search(const Environment& environment,
                    const std::function<double(const plan::Widths&)>& score,
                    const SearchOptions& options,
                    const std::function<void(const SearchResult&)>& on_episode = {});

}  // namespace mcusim::search
