// SPDX-License-Identifier: MIT
// Weight layouts as a table: one row per tag of net::Layout, found by the packer,
// the validator and `unpack`. Host only; the kernels read what `pack` wrote.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/net_format.h"

namespace mcusim {

// What a layout may depend on. Dimensions are those of the operator: ci is the
// input channel count (1 row of K per tap), depthwise has co == ci.
struct WeightShape {
  net::Family family{};
  uint32_t co = 0, kernel_h = 1, kernel_w = 1, ci = 0;  // fully connected: ci = h*w*c
  uint8_t in_bits = 8, weight_bits = 8;
};

struct LayoutRow {
  net::Layout tag;
  const char* name;
  // Bytes of the blob: padded body plus the readable zero tail.
  uint64_t (*blob_bytes)(const WeightShape&);
  // Natural order (see IntOp::weights) to blob and back. Pad and tail bytes are 0.
  std::vector<uint8_t> (*pack)(const WeightShape&, std::span<const uint8_t> natural);
  std::vector<uint8_t> (*unpack)(const WeightShape&, std::span<const uint8_t> blob);
};

std::span<const LayoutRow> layout_table();
const LayoutRow& layout_row(net::Layout tag);          // throws Error for unknown tags
net::Layout layout_for(const WeightShape& shape);      // the one tag a kernel row demands

}  // namespace mcusim
