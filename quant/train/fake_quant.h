// SPDX-License-Identifier: MIT
// Values on the grid that the integer network will have, with gradients that pass
// straight through inside the clipping range and reach its ends from outside
// (PACT, Choi et al., arXiv 1805.06085, for activations; the same for weights).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mcusim::train {

enum class Rounding {
  floor,    // activations: what requantisation does
  nearest,  // weights
};

// real = scale * (stored - zero_point), stored in 0 .. 2^bits - 1. Float32 tensors
// in the shape of the range: one element, or [channels, 1, 1, 1].
struct Grid {
  at::Tensor scale, zero_point;
};

// The grid of a range, as quantise::affine_of and quantise::quantise_weights have
// it; a range that is one point gets a step that holds the point exactly.
Grid grid_of(const at::Tensor& low, const at::Tensor& high, int bits);

// scale * (clamp(round_or_floor(x / scale) + zero_point, 0, 2^bits - 1) - zero_point).
// Gradients: x: as it comes inside the range, 0 outside; high: the sum over
// x >= high; low: the sum over x <= low. Ranges that need no gradient get none.
at::Tensor fake_quantise(const at::Tensor& x, const at::Tensor& low, const at::Tensor& high,
                         int bits, Rounding rounding);

// x to the nearest whole multiple of `step`; the gradient passes unchanged.
at::Tensor round_to(const at::Tensor& x, const at::Tensor& step);

}  // namespace mcusim::train
