// SPDX-License-Identifier: MIT
// See predictor.h. A counter never used before says backward taken, forward not taken;
// an indirect branch that the target cache does not know is wrong.
#include "sim/timing/predictor.h"

#include <algorithm>
#include <bit>

namespace mcusim::timing {

Predictor::Predictor(uint32_t btac_entries, uint32_t return_entries)
    : slots_(std::bit_floor(btac_entries)), histories_(slots_.size(), 0),
      counters_(kCounters, kUnseen), returns_(return_entries, 0) {}

void Predictor::invalidate() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  std::fill(histories_.begin(), histories_.end(), uint16_t{0});
  std::fill(counters_.begin(), counters_.end(), kUnseen);
  std::fill(returns_.begin(), returns_.end(), 0u);
}

Prediction Predictor::resolve(const Instruction& branch, bool taken, uint32_t target) {
  const uint32_t half = branch.address >> 1;
  const size_t index = half & (slots_.size() - 1);
  Slot& entry = slots_[index];
  const bool known = entry.branch == branch.address;
  const bool conditional = branch.condition < 14 || branch.mnemonic[0] == 'c';  // CBZ
  Prediction result = Prediction::right;

  if (conditional) {
    uint16_t& history = histories_[index];
    uint8_t& counter = counters_[(half * 0x9E3779B1u >> 7 ^ history) & (kCounters - 1)];
    if (counter == kUnseen)
      counter = !branch.is_indirect && branch.branch_target <= branch.address ? 2 : 1;
    if ((counter >= 2) != taken) result = Prediction::wrong;
    counter = static_cast<uint8_t>(taken ? std::min(3, counter + 1) : std::max(0, counter - 1));
    history = static_cast<uint16_t>((history << 1 | (taken ? 1 : 0)) & ((1u << kHistoryBits) - 1));
  }
  const auto ring = static_cast<uint32_t>(returns_.size());
  if (taken && branch.is_return) {
    uint32_t expected = 0;
    if (ring > 0) {
      top_ = (top_ + ring - 1) % ring;
      expected = returns_[top_];
    }
    if (expected != target) result = Prediction::wrong;
  } else if (taken && branch.is_indirect) {
    if (!known || entry.target != target) result = Prediction::wrong;
  }
  if (taken && !known && result == Prediction::right) result = Prediction::late;

  if (taken && branch.is_call && ring > 0) {
    returns_[top_] = branch.address + branch.bytes;
    top_ = (top_ + 1) % ring;
  }
  if (taken) entry = {branch.address, target};
  return result;
}

}  // namespace mcusim::timing
