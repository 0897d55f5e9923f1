// SPDX-License-Identifier: MIT
// See store_buffer.h. Entries leave in order in the store buffer; in the TCM queue each
// bank serves its own, and a place frees when its store is done.
#include "sim/timing/store_buffer.h"

#include <algorithm>

namespace mcusim::timing {

bool StoreBuffer::merges(uint32_t address, uint64_t now) const {
  // An entry that has begun to drain no longer takes bytes.
  return !pending_.empty() && pending_.back().started >= now &&
         pending_.back().block == address / bytes_;
}

uint64_t StoreBuffer::wait(uint32_t address, uint64_t now) {
  while (!pending_.empty() && pending_.front().drained <= now) pending_.pop_front();
  if (merges(address, now) || pending_.size() < capacity_) return 0;
  return pending_[pending_.size() - capacity_].drained - now;
}

void StoreBuffer::push(uint32_t address, uint64_t now, uint64_t ready, uint64_t drain_cycles) {
  while (!pending_.empty() && pending_.front().drained <= now) pending_.pop_front();
  if (merges(address, now)) return;
  const uint64_t start = std::max({now, ready, drained()});
  pending_.push_back({address / bytes_, start, start + drain_cycles});
}

uint64_t TcmStoreQueue::push(uint32_t bank, uint64_t now, bool narrow) {
  while (!done_.empty() && done_.front() <= now) done_.pop_front();
  uint64_t waited = 0;
  if (done_.size() >= capacity_) {
    waited = done_[done_.size() - capacity_] - now;
    now += waited;
  }
  const uint64_t done = std::max(now, bank_free_[bank]) + (narrow ? narrow_cycles_ : 1);
  bank_free_[bank] = done;
  done_.insert(std::upper_bound(done_.begin(), done_.end(), done), done);
  return waited;
}

uint64_t TcmStoreQueue::drained() const { return std::max(bank_free_[0], bank_free_[1]); }

}  // namespace mcusim::timing
