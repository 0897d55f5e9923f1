// SPDX-License-Identifier: MIT
// Arena placement. First-fit in the order of a best solution's offsets reproduces
// that solution, so placement is a search over orders: first the two-ended
// ping-pong that is optimal for chains, then fixed orders, then (while the result
// is above the live peak) all orders of a few buffers or a bounded, seeded local
// search. Deterministic: same buffers, same offsets.
#include "memmap/arena.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

using Order = std::vector<uint32_t>;

bool alive_together(const Buffer& a, const Buffer& b) {
  return a.size_bytes && b.size_bytes && a.first_use <= b.last_use && b.first_use <= a.last_use;
}

uint64_t align_up(uint64_t offset, uint32_t align_bytes) {
  return (offset + align_bytes - 1) / align_bytes * align_bytes;
}

struct Trial {
  std::vector<uint64_t> offsets;
  uint64_t arena_bytes = UINT64_MAX;
};

class Placer {
 public:
  Placer(const std::vector<Buffer>& buffers, uint32_t align_bytes)
      : buffers_(buffers), align_bytes_(align_bytes), neighbours_(buffers.size()) {
    for (uint32_t i = 0; i < buffers.size(); ++i)
      for (uint32_t k = 0; k < i; ++k)
        if (alive_together(buffers[i], buffers[k])) {
          neighbours_[i].push_back(k);
          neighbours_[k].push_back(i);
        }
  }

  // Places one buffer after another into a gap left by those placed before:
  // the lowest one, or the tightest.
  Trial in_order(const Order& order, bool tightest) const {
    Trial trial{std::vector<uint64_t>(buffers_.size(), UINT64_MAX), 0};
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (const uint32_t i : order) {
      taken.clear();
      for (const uint32_t k : neighbours_[i])
        if (trial.offsets[k] != UINT64_MAX)
          taken.emplace_back(trial.offsets[k], trial.offsets[k] + buffers_[k].size_bytes);
      std::sort(taken.begin(), taken.end());
      trial.offsets[i] = find_gap(taken, buffers_[i].size_bytes, tightest);
      trial.arena_bytes = std::max(trial.arena_bytes, trial.offsets[i] + buffers_[i].size_bytes);
    }
    return trial;
  }

  // Alternately at the bottom and at the top: in + out for a chain.
  Trial two_ended(const Order& by_time) const {
    uint64_t top = 0;
    for (size_t i = 0; i + 1 < by_time.size(); ++i) {
      const Buffer &a = buffers_[by_time[i]], &b = buffers_[by_time[i + 1]];
      if (alive_together(a, b)) top = std::max<uint64_t>(top, uint64_t{a.size_bytes} + b.size_bytes);
    }
    for (const auto& buffer : buffers_) top = std::max<uint64_t>(top, buffer.size_bytes);
    Trial trial{std::vector<uint64_t>(buffers_.size()), top};
    for (size_t i = 0; i < by_time.size(); ++i)
      trial.offsets[by_time[i]] = i % 2 ? top - buffers_[by_time[i]].size_bytes : 0;
    for (uint32_t i = 0; i < buffers_.size(); ++i) {
      if (trial.offsets[i] % align_bytes_) return {};
      for (const uint32_t k : neighbours_[i])
        if (trial.offsets[k] < trial.offsets[i] + buffers_[i].size_bytes &&
            trial.offsets[i] < trial.offsets[k] + buffers_[k].size_bytes)
          return {};
    }
    return trial;
  }

 private:
  uint64_t find_gap(const std::vector<std::pair<uint64_t, uint64_t>>& taken, uint64_t size,
                    bool tightest) const {
    uint64_t cursor = 0, best = UINT64_MAX, best_slack = UINT64_MAX;
    for (const auto& [begin, end] : taken) {
      const uint64_t start = align_up(cursor, align_bytes_);
      if (start + size <= begin && begin - start - size < best_slack) {
        best = start;
        best_slack = begin - start - size;
        if (!tightest) return best;
      }
      cursor = std::max(cursor, end);
    }
    return best != UINT64_MAX ? best : align_up(cursor, align_bytes_);
  }

  const std::vector<Buffer>& buffers_;
  uint32_t align_bytes_;
  std::vector<std::vector<uint32_t>> neighbours_;
};

std::vector<Order> fixed_orders(const std::vector<Buffer>& buffers) {
  Order identity(buffers.size());
  std::iota(identity.begin(), identity.end(), 0u);
  const std::function<uint64_t(const Buffer&)> keys[] = {
      [](const Buffer& b) { return uint64_t{b.first_use}; },
      [](const Buffer& b) { return UINT64_MAX - b.size_bytes; },
      [](const Buffer& b) { return UINT64_MAX - (uint64_t{b.last_use} - b.first_use); },
      [](const Buffer& b) {
        return UINT64_MAX - b.size_bytes * (uint64_t{b.last_use} - b.first_use + 1);
      }};
  std::vector<Order> orders;
  for (const auto& key : keys) {
    orders.push_back(identity);
    std::stable_sort(orders.back().begin(), orders.back().end(), [&](uint32_t a, uint32_t b) {
      return key(buffers[a]) < key(buffers[b]);
    });
  }
  return orders;
}

// Best placement at one alignment; stops as soon as `goal_bytes` is reached.
Trial search(const std::vector<Buffer>& buffers, uint32_t align_bytes, uint64_t goal_bytes) {
  constexpr size_t kExhaustive = 7;
  constexpr uint64_t kWork = 20'000'000;  // buffer pairs looked at by the local search
  const Placer placer(buffers, align_bytes);
  const auto orders = fixed_orders(buffers);
  Trial best = placer.two_ended(orders.front());
  Order best_order = orders.front();
  auto consider = [&](const Order& order, bool tightest) {
    Trial trial = placer.in_order(order, tightest);
    if (trial.arena_bytes >= best.arena_bytes) return;
    best = std::move(trial);
    best_order = order;
  };
  for (const auto& order : orders)
    for (const bool tightest : {true, false})
      if (best.arena_bytes > goal_bytes) consider(order, tightest);

  if (buffers.size() <= kExhaustive) {
    Order order(buffers.size());
    std::iota(order.begin(), order.end(), 0u);
    do {
      if (best.arena_bytes <= goal_bytes) break;
      consider(order, false);
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
  }
  uint32_t seed = 1;
  auto random = [&](size_t n) {
    seed = seed * 1664525u + 1013904223u;
    return static_cast<size_t>((uint64_t{seed} * n) >> 32);
  };
  const uint64_t tries = std::min<uint64_t>(4000, kWork / (buffers.size() * buffers.size()));
  for (uint64_t i = 0; i < tries && best.arena_bytes > goal_bytes; ++i) {
    Order order = best_order;
    for (size_t swaps = 1 + random(3); swaps-- > 0;)
      std::swap(order[random(order.size())], order[random(order.size())]);
    consider(order, i % 2 != 0);
  }
  return best;
}

}  // namespace

uint32_t live_peak_bytes(const std::vector<Buffer>& buffers) {
  // Beginnings of operator n sort at 2n, ends at 2n + 1: a buffer that ends with n
  // is still alive beside one that begins with n, but not beside one of n + 1.
  std::vector<std::pair<uint64_t, int64_t>> events;
  for (const auto& buffer : buffers) {
    events.emplace_back(uint64_t{buffer.first_use} * 2, buffer.size_bytes);
    events.emplace_back(uint64_t{buffer.last_use} * 2 + 1, -int64_t{buffer.size_bytes});
  }
  std::sort(events.begin(), events.end());
  int64_t live = 0, peak = 0;
  for (const auto& [time, bytes] : events) {
    live += bytes;
    peak = std::max(peak, live);
  }
  if (peak > UINT32_MAX) throw Error("arena: {} live bytes do not fit 32 bits", peak);
  return static_cast<uint32_t>(peak);
}

Placement place(const std::vector<Buffer>& buffers, uint32_t align_bytes) {
  for (const auto& buffer : buffers)
    if (buffer.first_use > buffer.last_use)
      throw Error("arena: buffer lives from operator {} to {}", buffer.first_use, buffer.last_use);
  if (align_bytes == 0) throw Error("arena: alignment 0");
  const uint32_t peak = live_peak_bytes(buffers);
  Trial best;
  // Alignment yields to the peak, never the other way round.
  for (uint32_t align = align_bytes;; align /= 2) {
    Trial trial = search(buffers, align, peak);
    if (trial.arena_bytes < best.arena_bytes) best = std::move(trial);
    if (align == 1 || best.arena_bytes <= peak) break;
  }
  if (best.arena_bytes > UINT32_MAX)
    throw Error("arena: {} bytes do not fit 32 bits", best.arena_bytes);
  return {{best.offsets.begin(), best.offsets.end()}, static_cast<uint32_t>(best.arena_bytes)};
}

}  // namespace mcusim
