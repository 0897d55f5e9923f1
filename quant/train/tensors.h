// SPDX-License-Identifier: MIT
// Between plain vectors in the order of quant/graph and tensors in libtorch's.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "quant/graph/graph.h"
#include "quant/quantise/weights.h"
#include "quant/train/fake_quant.h"

namespace mcusim::train {

at::Tensor to_tensor(const std::vector<float>& values);
std::vector<float> from_tensor(const at::Tensor& tensor);

// [co][kh][kw][ci] and [co][ci, kh, kw]; fully connected rows stay as they are.
at::Tensor to_tensor_order(const std::vector<float>& weights, const graph::Node& node,
                           uint32_t channels);
std::vector<float> from_tensor_order(const at::Tensor& weights);

// [h][w][c] inputs by index as one batch [n, c, h, w].
at::Tensor to_batch(const std::vector<const std::vector<float>*>& inputs, const graph::Value& shape);

// One value, or one per channel, in the shape that broadcasts over the weights.
at::Tensor grid_shape(const at::Tensor& values, const at::Tensor& weights);
// Stored values in graph order cut into the grids they lie on.
std::vector<quantise::StoredWeights> stored_weights(const std::vector<float>& stored,
                                                    const Grid& grid);

}  // namespace mcusim::train
