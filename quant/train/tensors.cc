// SPDX-License-Identifier: MIT
#include "quant/train/tensors.h"

#include <algorithm>

#include "quant/train/torch_ops.h"

namespace mcusim::train {

using at::Tensor;

Tensor to_tensor(const std::vector<float>& values) {
  Tensor result = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), result.data_ptr<float>());
  return result;
}

std::vector<float> from_tensor(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(at::kFloat).contiguous();
  const float* first = flat.data_ptr<float>();
  return {first, first + flat.numel()};
}

Tensor to_tensor_order(const std::vector<float>& weights, const graph::Node& node,
                       uint32_t channels) {
  const Tensor flat = to_tensor(weights);
  if (node.kind == graph::Kind::fully_connected) return flat.view({channels, -1});
  return flat.view({channels, node.kernel_h, node.kernel_w, -1}).permute({0, 3, 1, 2}).contiguous();
}

std::vector<float> from_tensor_order(const Tensor& weights) {
  return from_tensor(weights.dim() == 4 ? weights.detach().permute({0, 2, 3, 1}) : weights);
}

Tensor to_batch(const std::vector<const std::vector<float>*>& inputs, const graph::Value& shape) {
  Tensor batch = at::empty({static_cast<int64_t>(inputs.size()), shape.h, shape.w, shape.c},
                           at::kFloat);
  float* place = batch.data_ptr<float>();
  for (const auto* input : inputs) place = std::copy(input->begin(), input->end(), place);
  return batch.permute({0, 3, 1, 2}).contiguous();
}

Tensor grid_shape(const Tensor& values, const Tensor& weights) {
  if (values.numel() == 1) return values;
  std::vector<int64_t> shape(static_cast<size_t>(weights.dim()), 1);
  shape[0] = -1;
  return values.view(shape);
}

std::vector<quantise::StoredWeights> stored_weights(const std::vector<float>& stored,
                                                    const Grid& grid) {
  const auto scales = from_tensor(grid.scale), zeros = from_tensor(grid.zero_point);
  std::vector<quantise::StoredWeights> result(scales.size());
  const size_t part = stored.size() / scales.size();
  for (size_t g = 0; g < result.size(); ++g) {
    result[g].scale = scales[g];
    result[g].zero_point = static_cast<int32_t>(zeros[g]);
    const auto first = stored.begin() + static_cast<long>(g * part);
    for (auto value = first; value != first + static_cast<long>(part); ++value)
      result[g].stored.push_back(static_cast<uint8_t>(*value));
  }
  return result;
}

}  // namespace mcusim::train
