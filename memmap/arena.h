// SPDX-License-Identifier: MIT
// Arena placement by size and lifetime: knows sizes and lifetimes, not tensors.
#pragma once

#include <cstdint>
#include <vector>

namespace mcusim {

struct Buffer {
  uint32_t size_bytes = 0;
  uint32_t first_use = 0, last_use = 0;  // operator indices, inclusive
};

struct Placement {
  std::vector<uint32_t> offsets;  // per buffer, 8-byte aligned unless that costs the peak
  uint32_t arena_bytes = 0;       // highest byte used + 1
};

// Lower bound: the most bytes alive at one operator.
uint32_t live_peak_bytes(const std::vector<Buffer>& buffers);

// Places buffers so that no two alive together overlap. For a chain the result
// equals the live peak (in + out); branches use best-fit over several orders.
Placement place(const std::vector<Buffer>& buffers, uint32_t align_bytes = 8);

}  // namespace mcusim
