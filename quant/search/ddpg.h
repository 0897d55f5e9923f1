// SPDX-License-Identifier: MIT
// Deep deterministic policy gradient (Lillicrap et al., arXiv 1509.02971) with the
// choices of HAQ (Wang et al., arXiv 1811.08886): all steps of an episode get its
// final reward, less a moving average; truncated normal exploration that decays.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "quant/search/mlp.h"

namespace mcusim::search {

inline constexpr size_t kStateSize = 10;
using State = std::array<float, kStateSize>;

struct AgentOptions {
  size_t hidden = 300, batch = 64;
  size_t memory_episodes = 128;     // episodes the replay memory holds
  unsigned warmup_episodes = 20;    // uniform random actions, no learning
  double actor_rate = 1e-4, critic_rate = 1e-3;
  double target_part = 0.01, discount = 1;
  double noise = 0.5, noise_decay = 0.99;  // per episode behind the warm-up
  double baseline_part = 0.5;
};

class Agent {
 public:
  Agent(const AgentOptions& options, uint64_t seed);

  // A value in 0 .. 1. Random choices depend on seed and episode alone.
  void begin_episode(unsigned episode);
  double act(const State& state);
  // The episode's states and actions in order, and what it was worth.
  void finish_episode(const std::vector<State>& states, const std::vector<double>& actions,
                      double reward);

 private:
  struct Transition {
    State state, next;
    float action = 0, reward = 0;
    bool last = false;
  };
  double truncated_normal(double mean, double deviation);
  void learn();

  AgentOptions options_;
  uint64_t seed_;
  unsigned episode_ = 0;
  zoo::Random random_;
  Mlp actor_, critic_, actor_target_, critic_target_;
  std::deque<Transition> memory_;
  size_t memory_limit_ = 0;
  std::optional<double> baseline_;
};

}  // namespace mcusim::search
