// SPDX-License-Identifier: MIT
// A branch that the target cache does not know is predicted at decode: backward taken,
// forward not taken, returns from the return stack, other indirect ones wrong.
#include "sim/timing/predictor.h"

#include <algorithm>
#include <bit>

namespace mcusim::timing {

Predictor::Predictor(uint32_t btac_entries, uint32_t return_entries)
    : slots_(std::bit_floor(btac_entries)), mask_(std::bit_floor(btac_entries) - 1),
      returns_(return_entries, 0) {}

void Predictor::invalidate() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  std::fill(returns_.begin(), returns_.end(), 0);
}

Prediction Predictor::resolve(const Instruction& branch, bool taken, uint32_t target) {
  Slot& entry = slot(branch.address);
  const bool known = entry.branch == branch.address;
  const bool conditional = branch.condition < 14 || branch.mnemonic[0] == 'c';
  Prediction result = Prediction::right;

  const bool guess_taken = !conditional ? true
                           : known      ? entry.counter >= 2
                                        : !branch.is_indirect && branch.branch_target <= branch.address;
  if (guess_taken != taken) {
    result = Prediction::wrong;
  } else if (taken && branch.is_return) {
    uint32_t expected = 0;
    if (!returns_.empty()) {
      top_ = (top_ + static_cast<uint32_t>(returns_.size()) - 1) % static_cast<uint32_t>(returns_.size());
      expected = returns_[top_];
    }
    result = expected != target ? Prediction::wrong : known ? Prediction::right : Prediction::late;
  } else if (taken && branch.is_indirect) {
    result = known && entry.target == target ? Prediction::right : Prediction::wrong;
  } else if (taken) {
    result = known ? Prediction::right : Prediction::late;
  }

  if (taken && branch.is_call && !returns_.empty()) {
    returns_[top_] = branch.address + branch.bytes;
    top_ = (top_ + 1) % static_cast<uint32_t>(returns_.size());
  }
  if (known) {
    entry.counter = static_cast<uint8_t>(taken ? std::min(3, entry.counter + 1)
                                               : std::max(0, entry.counter - 1));
    if (taken) entry.target = target;
  } else if (taken || result == Prediction::wrong) {
    entry = {branch.address, taken ? target : branch.branch_target, static_cast<uint8_t>(taken ? 2 : 1)};
  }
  return result;
}

}  // namespace mcusim::timing
