// SPDX-License-Identifier: MIT
#include "quant/patch/search.h"

#include <algorithm>
#include <map>

#include "memmap/base/error.h"
#include "quant/pack/place.h"
#include "quant/patch/stage.h"

namespace mcusim::patch {
namespace {

constexpr uint32_t kSides[] = {1, 2, 3, 4, 5, 6, 8};

// Shapes cost as much as weights do, and tiles copy them.
IntNet without_weights(const IntNet& net) {
  IntNet bare = net;
  for (IntOp& op : bare.ops) {
    op.weights.clear();
    op.thresholds.clear();
  }
  return bare;
}

// Work of a network by layer: multiply-accumulates, else cells.
std::map<int, double> work_of(const IntNet& net) {
  std::map<int, double> work;
  for (const IntOp& op : net.ops) {
    const IntTensor& out = net.tensors[op.out];
    const uint64_t cells = uint64_t{out.h} * out.w * out.c * op.kernel_h * op.kernel_w;
    work[op.layer_id] += static_cast<double>(std::max(macs(net, op), cells));
  }
  return work;
}

struct Rates {
  std::map<int, double> cycles_per_work;

  double estimate(const std::map<int, double>& work) const {
    double cycles = 0;
    for (const auto& [layer, amount] : work) {
      const auto rate = cycles_per_work.find(layer);
      if (rate != cycles_per_work.end()) cycles += rate->second * amount;
    }
    return cycles;
  }
};

std::vector<Choice> all_choices(const IntNet& net) {
  std::vector<Choice> choices = {{1, 1, 1}};
  const auto blocks = blocks_of(net);
  for (uint32_t n = 1; n <= blocks.size(); ++n) {
    const IntTensor& out = net.tensors[blocks[n - 1].output];
    for (const uint32_t rows : kSides)
      for (const uint32_t columns : kSides) {
        if (rows * columns == 1 || rows > out.h || columns > out.w) continue;
        if (size_t{rows} * columns * blocks[n - 1].op_count + net.ops.size() > net::kMaxOps) continue;
        choices.push_back({rows, columns, n});
      }
  }
  return choices;
}

}  // namespace

Found search(const IntNet& net, uint64_t ram_bytes, const Simulate& simulate, int most_runs) {
  const IntNet bare = without_weights(net);
  if (blocks_of(bare).empty())
    throw Error("{}: no block of it can be computed in tiles", net.name);
  Found found;
  std::optional<Cost> smallest;
  for (const Choice& choice : all_choices(bare)) {
    const Cost cost = cost_of(bare, choice);
    ++found.tried;
    if (!smallest || cost.arena_bytes < smallest->arena_bytes) smallest = cost;
    if (cost.arena_bytes <= ram_bytes) found.candidates.push_back({cost, {}});
  }
  auto& all = found.candidates;
  if (all.empty())
    throw Error("{}: RAM: no stage of tiles fits {} B; {} takes {} B", net.name, ram_bytes,
                format_choice(smallest->choice), smallest->arena_bytes);
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return a.cost.total_macs < b.cost.total_macs;
  });

  std::vector<std::map<int, double>> work;
  for (const Candidate& candidate : all)
    work.push_back(work_of(patched(bare, candidate.cost.choice).net));
  Rates rates;
  size_t next = 0;
  for (int run = 0; run < most_runs; ++run) {
    Patched made = patched(net, all[next].cost.choice);
    place_tensors(made.net);
    const auto cycles = simulate(made.net);
    check(cycles.size() == made.net.ops.size(), "a simulated run reports every operator");
    all[next].cycles = 0;
    rates.cycles_per_work.clear();
    for (size_t i = 0; i < cycles.size(); ++i) {
      *all[next].cycles += cycles[i];
      rates.cycles_per_work[made.net.ops[i].layer_id] += static_cast<double>(cycles[i]);
    }
    for (auto& [layer, rate] : rates.cycles_per_work) rate /= std::max(1.0, work[next][layer]);
    double best = static_cast<double>(*all[next].cycles);
    for (const Candidate& candidate : all)
      if (candidate.cycles) best = std::min(best, static_cast<double>(*candidate.cycles));
    double least = best;
    size_t promising = all.size();
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].cycles) continue;
      const double estimate = rates.estimate(work[i]);
      if (estimate < least) least = estimate, promising = i;
    }
    if (promising == all.size()) break;
    next = promising;
  }
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return a.cycles.value_or(UINT64_MAX) < b.cycles.value_or(UINT64_MAX);
  });
  return found;
}

}  // namespace mcusim::patch
