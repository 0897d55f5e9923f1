// SPDX-License-Identifier: MIT
#include "quant/train/fake_quant.h"

#include "quant/train/torch_ops.h"

namespace mcusim::train {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;
using torch::autograd::Variable;

// Values that are whole in exact arithmetic must not fall to the next lower one by
// the rounding of the host's floats.
double floor_tolerance(const Tensor& x) { return x.scalar_type() == at::kDouble ? 1e-9 : 1e-5; }

Tensor sum_to_shape_of(const Tensor& x, const Tensor& shape) {
  return x.sum_to_size(shape.sizes()).to(shape.scalar_type());
}

struct RangeQuantise : torch::autograd::Function<RangeQuantise> {
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& low,
                          const Variable& high, int64_t bits, bool floors) {
    context->save_for_backward({x, low, high});
    context->saved_data["floors"] = floors;
    const Grid grid = grid_of(low, high, static_cast<int>(bits));
    const Tensor scale = grid.scale.to(x.scalar_type()), zero = grid.zero_point.to(x.scalar_type());
    const Tensor steps = x / scale;
    const Tensor whole = floors ? at::floor(steps + floor_tolerance(x)) : at::round(steps);
    const auto top = static_cast<double>((int64_t{1} << bits) - 1);
    return (at::clamp(whole + zero, 0.0, top) - zero) * scale;
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &low = saved[1], &high = saved[2], &g = gradients[0];
    const bool floors = context->saved_data["floors"].toBool();
    const Tensor below = x <= low, above = x >= high;
    // A weight at the end of its range is stored as it is.
    const Tensor inside = floors ? (x > low).logical_and(x < high)
                                 : (x >= low).logical_and(x <= high);
    Tensor to_low, to_high;
    if (low.requires_grad()) to_low = sum_to_shape_of(g * below, low);
    if (high.requires_grad()) to_high = sum_to_shape_of(g * above, high);
    return {g * inside, to_low, to_high, Tensor(), Tensor()};
  }
};

}  // namespace

Grid grid_of(const Tensor& low, const Tensor& high, int bits) {
  const auto top = static_cast<double>((int64_t{1} << bits) - 1);
  const Tensor width = high - low, size = high.abs();
  const Tensor point = at::where(size > 0, size, at::ones_like(size));
  const Tensor scale = at::where(width > 0, width / top, point);
  return {scale, -at::round(low / scale)};
}

Tensor fake_quantise(const Tensor& x, const Tensor& low, const Tensor& high, int bits,
                     Rounding rounding) {
  return RangeQuantise::apply(x, low, high, int64_t{bits}, rounding == Rounding::floor);
}

Tensor round_to(const Tensor& x, const Tensor& step) {
  return x + (at::round(x / step) * step - x).detach();
}

}  // namespace mcusim::train
