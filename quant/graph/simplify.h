// SPDX-License-Identifier: MIT
// Rewrites of a float network that change no value and leave fewer layers to compute,
// or layers that integers know.
#pragma once

#include "quant/graph/graph.h"

namespace mcusim::graph {

// - Two batch norms in a row (a product and a sum with constants) become one.
// - Two clamps in a row (relu6 as some exporters write it) become one.
// - A batch norm that no convolution or fully connected layer can take along gets a
//   depthwise convolution of one cell and weights 1 to go with.
// - Zero padding before its only reader, a convolution, becomes that one's padding.
// - A clamp behind a max pool goes before it (the largest of clamped values is the
//   clamped largest), where the layer that makes the pool's input takes it along.
// Values keep their ids; some are left without a writer.
void simplify(Graph& graph);

}  // namespace mcusim::graph
