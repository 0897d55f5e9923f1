// SPDX-License-Identifier: MIT
#include "quant/search/ddpg.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mcusim::search {
namespace {

// Rows of a state, or of a state and an action.
std::vector<float> rows_of(const std::vector<State>& states, const std::vector<float>* actions) {
  std::vector<float> rows;
  for (size_t i = 0; i < states.size(); ++i) {
    rows.insert(rows.end(), states[i].begin(), states[i].end());
    if (actions) rows.push_back((*actions)[i]);
  }
  return rows;
}

}  // namespace

Agent::Agent(const AgentOptions& options, uint64_t seed)
    : options_(options), seed_(seed), random_(seed),
      actor_(kStateSize, options.hidden, true, random_),
      critic_(kStateSize + 1, options.hidden, false, random_),
      actor_target_(actor_), critic_target_(critic_) {}

void Agent::begin_episode(unsigned episode) {
  episode_ = episode;
  random_ = zoo::Random(seed_ * 0x9E3779B97F4A7C15u + episode + 1);
}

// Rejection; Box and Muller's transform.
double Agent::truncated_normal(double mean, double deviation) {
  for (;;) {
    const double radius = std::sqrt(-2 * std::log(1 - random_.real(0, 1)));
    const double value =
        mean + deviation * radius * std::cos(2 * std::numbers::pi * random_.real(0, 1));
    if (value >= 0 && value <= 1) return value;
  }
}

double Agent::act(const State& state) {
  if (episode_ < options_.warmup_episodes) return random_.real(0, 1);
  const double mean = actor_.forward({state.begin(), state.end()})[0];
  const double age = episode_ - options_.warmup_episodes;
  return truncated_normal(mean, options_.noise * std::pow(options_.noise_decay, age));
}

void Agent::finish_episode(const std::vector<State>& states, const std::vector<double>& actions,
                           double reward) {
  memory_limit_ = options_.memory_episodes * states.size();
  for (size_t i = 0; i < states.size(); ++i) {
    const bool last = i + 1 == states.size();
    memory_.push_back({states[i], states[last ? i : i + 1], static_cast<float>(actions[i]),
                       static_cast<float>(reward), last});
    if (memory_.size() > memory_limit_) memory_.pop_front();
    if (episode_ >= options_.warmup_episodes) learn();
  }
}

void Agent::learn() {
  const size_t count = options_.batch;
  std::vector<State> states(count), next(count);
  std::vector<float> actions(count), targets(count);
  std::vector<bool> last(count);
  double mean = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto& t = memory_[static_cast<size_t>(
        random_.integer(0, static_cast<int32_t>(memory_.size()) - 1))];
    states[i] = t.state;
    next[i] = t.next;
    actions[i] = t.action;
    targets[i] = t.reward;
    last[i] = t.last;
    mean += t.reward / static_cast<double>(count);
  }
  baseline_ = baseline_ ? *baseline_ + options_.baseline_part * (mean - *baseline_) : mean;

  const auto next_actions = actor_target_.forward(rows_of(next, nullptr));
  const auto next_values = critic_target_.forward(rows_of(next, &next_actions));
  for (size_t i = 0; i < count; ++i)
    targets[i] += static_cast<float>(-*baseline_ + (last[i] ? 0 : options_.discount * next_values[i]));

  const float share = 1 / static_cast<float>(count);
  auto gradients = critic_.forward(rows_of(states, &actions));
  for (size_t i = 0; i < count; ++i) gradients[i] = 2 * share * (gradients[i] - targets[i]);
  critic_.backward(gradients);
  critic_.update(options_.critic_rate);

  // The actor climbs the critic.
  const auto chosen = actor_.forward(rows_of(states, nullptr));
  critic_.forward(rows_of(states, &chosen));
  const auto to_inputs = critic_.backward(std::vector<float>(count, -share));
  critic_.discard_gradients();
  std::vector<float> to_actions(count);
  for (size_t i = 0; i < count; ++i) to_actions[i] = to_inputs[i * (kStateSize + 1) + kStateSize];
  actor_.backward(to_actions);
  actor_.update(options_.actor_rate);

  actor_target_.follow(actor_, options_.target_part);
  critic_target_.follow(critic_, options_.target_part);
}

}  // namespace mcusim::search
