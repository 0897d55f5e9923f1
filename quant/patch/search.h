// SPDX-License-Identifier: MIT
// The stage and the tiles that fit a RAM at the least cycles.
//
// Candidates are all stages of blocks in 1 to 8 tiles per axis whose placed arena
// fits. The one of fewest multiply-accumulates is simulated; its cycles per layer
// and unit of work estimate the others, the most promising one is simulated next,
// and so on until no estimate is below the best simulated count.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "quant/patch/cost.h"

namespace mcusim::patch {

struct Candidate {
  Cost cost;
  std::optional<uint64_t> cycles;  // of the whole run, when simulated
};

struct Found {
  std::vector<Candidate> candidates;  // those that fit: simulated ones first, by cycles
  size_t tried = 0;                   // fitting or not
};

// Cycles of every operator of a network in a simulated run.
using Simulate = std::function<std::vector<uint64_t>(const IntNet& net)>;

// `net` is placed. At most `most_runs` simulations. 1x1@1 means: no tiles are needed. Throws Error
// naming the smallest arena when nothing fits.
Found search(const IntNet& net, uint64_t ram_bytes, const Simulate& simulate, int most_runs = 6);

}  // namespace mcusim::patch
