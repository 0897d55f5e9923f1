// SPDX-License-Identifier: MIT
// The integer network's structure as the layers of a float graph give it: shapes,
// windows, names. Quantisers and rule-made networks fill in the numbers; planning
// needs none.
#pragma once

#include <map>

#include "kernels/host/int_net.h"
#include "quant/graph/layers.h"
#include "quant/plan/problem.h"

namespace mcusim::quantise {

// Shape and name of a value; bits as planned, scale and zero point left alone.
IntTensor structural_tensor(const graph::Value& value, uint8_t bits);

// Kind, name, tensors, window, layer id (index + 1); contract and parameters are the
// caller's. `tensor_of` maps values. Throws Error for a layer without integer form.
IntOp structural_op(const graph::Graph& graph, const graph::Layer& layer, size_t index,
                    const std::map<int, int>& tensor_of);

// Y = Zy + floor(f0 * (X0 - Z0) + f1 * (X1 - Z1)) as the scalars of an icn addition:
// one exponent, that of the larger factor; the smaller keeps what bits remain.
void set_add_factors(IntOp& op, double factor0, double factor1);

// The whole network without weights: it can be placed and counted, not encoded.
IntNet structure_of(const graph::Graph& graph, const graph::LayerGraph& layers,
                    const plan::Problem& problem, const plan::Widths& widths);

}  // namespace mcusim::quantise
