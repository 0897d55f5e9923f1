// SPDX-License-Identifier: MIT
// Tile geometry: which cells of every tensor one tile of a stage's output needs.
//
// Walking back over a window of kernel k, stride s and padding p before it, the
// output cells [a, b) need the input cells [a*s - p, (b-1)*s - p + k): a side of n
// becomes (n-1)*s + k. What lies outside the tensor is padding, explicit per side.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim::patch {

// Cells first .. last-1 of one axis; signed, because cells that are not there count
// when a tile's full size is asked for.
struct Span {
  int64_t first = 0, last = 0;

  int64_t size() const { return last - first; }
  bool operator==(const Span&) const = default;
};

struct Region {
  Span y, x;

  int64_t cells() const { return y.size() * x.size(); }
  bool operator==(const Region&) const = default;
};

// What one operator of a tile does: the cells it reads and writes, in coordinates
// of the whole tensors, and the padding it still needs.
struct TileOp {
  Region in, out;
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

struct Tile {
  std::vector<TileOp> ops;       // the first operators of the network
  std::vector<Region> computed;  // per tensor: the cells that exist in this tile
};

enum class Edge {
  cut,   // cells outside a tensor are padding and cost nothing
  full,  // every tile as large as one in the middle: how published counts go
};

// One tile of the stage made of the first `op_count` operators; `output` is the part
// of the stage's output tensor that it writes.
Tile make_tile(const IntNet& net, size_t op_count, const Region& output, Edge edge);

// The output of `op_count` operators in rows x columns tiles, row by row. Sides that
// do not divide give tiles that differ by one cell. Throws Error when there are more
// tiles than cells along an axis.
std::vector<Region> split(const IntTensor& output, uint32_t rows, uint32_t columns);

}  // namespace mcusim::patch
