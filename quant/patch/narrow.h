// SPDX-License-Identifier: MIT
// Narrower feature maps in a network that is already integers: a new format per
// tensor, and the requantisation of every operator that reads or writes it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim::patch {

// How a tensor stores its values, relative to the network as it was: `step` old
// steps to one new one.
struct Format {
  uint8_t bits = 8;
  double step = 1;
  int32_t zero_point = 0;
};

// Stored values seen, by value.
using Histogram = std::array<uint64_t, 256>;

// The format of `bits` bits with the least squared error on the values seen. The old
// zero point stays exact, so that padding stays exact.
Format fit_format(const Histogram& values, int32_t zero_point, uint8_t bits);

// The values as the format stores them, by stored value.
Histogram stored_as(const Histogram& values, int32_t zero_point, const Format& format);

// Shannon entropy in bits of the distribution of stored values; 0 when empty.
double entropy_bits(const Histogram& values);

// Per tensor the smallest id of the tensors that must share its format: views and
// their roots, both sides of pools by maximum, pads and reshapes.
std::vector<int> format_groups(const IntNet& net);

// Per tensor: whether its group may change. Not the network's inputs and outputs, not
// what has fewer than 8 bits already, and only where every operator that touches it
// has an integer-normalised form: icn, or tflite with a clamp that is the whole range.
std::vector<bool> may_narrow(const IntNet& net);

// `net` with the formats (one per tensor; equal within a group). Operators that touch
// no changed tensor stay as they are; the others become icn with the same real
// factors. Not placed.
IntNet narrowed(const IntNet& net, const std::vector<Format>& formats);

}  // namespace mcusim::patch
