// SPDX-License-Identifier: MIT
// Float weights by rule for a structure of the zoo: small random weights, batch
// norms that normalise what a seeded input makes of them, as trained ones do.
#pragma once

#include "quant/graph/graph.h"

namespace mcusim::zoo {

void fill_weights(graph::Graph& graph, uint64_t seed);

}  // namespace mcusim::zoo
