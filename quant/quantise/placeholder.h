// SPDX-License-Identifier: MIT
// The integer network of a bit plan with placeholder numbers: what container, arena
// and image will take, before anything is calibrated and without weights.
#pragma once

#include "kernels/host/int_net.h"
#include "quant/plan/problem.h"

namespace mcusim::quantise {

// Not placed. Its container has the bytes of the converted network's, except that
// numbers which happen to be equal there may be stored once.
IntNet placeholder_net(const graph::Graph& graph, const graph::LayerGraph& layers,
                       const plan::Problem& problem, const plan::Widths& widths, plan::Mode mode);

}  // namespace mcusim::quantise
