// SPDX-License-Identifier: MIT
// Between arrays of values and the bytes of a tensor: what a user feeds, what a
// kernel stores. One place for eval, run and tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "memmap/base/npy.h"

namespace mcusim {

// Stored values (h*w*c, one byte each) of sample `index` of an array whose first
// axis counts samples; the other axes must be the tensor's h, w, c, where axes of
// length 1 may be missing (49x10 for 49x10x1, 640 for 1x1x640). A signed view
// takes int8 (stored = value + 2^(bits-1)), an unsigned one uint8, each within its
// width; floats are quantised: round half to even of value/scale + zero point,
// clamped. Anything else is an Error that names `name`, shapes and types.
std::vector<uint8_t> stored_values(const IntTensor& tensor, const NpyArray& array, uint64_t index,
                                   const std::string& name);

// Number of samples: 1 when the array has exactly the tensor's shape.
uint64_t sample_count(const IntTensor& tensor, const NpyArray& array, const std::string& name);

// A rule-made input: xorshift64* seeded with `seed`, all levels equally likely.
std::vector<uint8_t> seeded_values(const IntTensor& tensor, uint64_t seed);

// Value as shown: stored, or stored - 2^(bits-1) for a signed view.
int32_t shown_value(const IntTensor& tensor, uint8_t stored);

// Array of shown values, dtype |i1 or |u1, shape [samples, h, w, c] without axes
// of length 1 in h and w when both are 1.
NpyArray shown_array(const IntTensor& tensor, std::span<const std::vector<uint8_t>> samples);

// Stored values to and from the bytes of a tensor with the given strides.
// `bytes` starts at the tensor's first pixel.
struct TensorStrides {
  uint32_t row_bytes = 0, pixel_bytes = 0;
};
void store_tensor(const IntTensor& tensor, TensorStrides strides, std::span<const uint8_t> values,
                  std::span<uint8_t> bytes);
std::vector<uint8_t> fetch_tensor(const IntTensor& tensor, TensorStrides strides,
                                  std::span<const uint8_t> bytes);

}  // namespace mcusim
