// SPDX-License-Identifier: MIT
#include "quant/patch/tiles.h"

#include <algorithm>

#include "kernels/host/names.h"
#include "memmap/base/error.h"

namespace mcusim::patch {
namespace {

struct Window {
  int64_t kernel, stride, before, after;
};

Span whole(int64_t size) { return {0, size}; }

Span united(const Span& a, const Span& b) {
  if (a.size() <= 0) return b;
  if (b.size() <= 0) return a;
  return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

// The cells a window operator reads for `out`, before any cut.
Span reach(const Span& out, const Window& w) {
  return {out.first * w.stride - w.before, (out.last - 1) * w.stride - w.before + w.kernel};
}

// A pad copies its input cells; cells of the padding alone cannot be a tile of their
// own, so they take the nearest input cell along.
Span with_a_cell(const Span& out, int64_t in, int64_t before) {
  return {std::min(out.first, before + in - 1), std::max(out.last, before + 1)};
}

struct Axis {
  Span in, out;
  int64_t before = 0, after = 0;
};

Axis walk_back(const Span& needed, int64_t in_size, const Window& w, bool is_pad, Edge edge) {
  const Span out = is_pad && edge == Edge::cut ? with_a_cell(needed, in_size, w.before) : needed;
  const Span all = reach(out, w);
  if (edge == Edge::full) return {all, out, 0, 0};
  const Span in = {std::max<int64_t>(all.first, 0), std::min(all.last, in_size)};
  return {in, out, in.first - all.first, all.last - in.last};
}

}  // namespace

Tile make_tile(const IntNet& net, size_t op_count, const Region& output, Edge edge) {
  Tile tile;
  tile.ops.resize(op_count);
  tile.computed.resize(net.tensors.size());
  tile.computed[net.ops[op_count - 1].out] = output;
  for (size_t i = op_count; i-- > 0;) {
    const IntOp& op = net.ops[i];
    const IntTensor& in = net.tensors[op.in0];
    // A pad is a window of one cell that reads outside.
    const bool is_pad = op.kind == net::OpKind::pad;
    Region& needed = tile.computed[op.out];
    const Axis y = walk_back(needed.y, in.h, {op.kernel_h, op.stride_h, op.pad_top, op.pad_bottom},
                             is_pad, edge);
    const Axis x = walk_back(needed.x, in.w, {op.kernel_w, op.stride_w, op.pad_left, op.pad_right},
                             is_pad, edge);
    needed = {y.out, x.out};
    tile.ops[i] = {{y.in, x.in}, needed,
                   static_cast<uint32_t>(y.before), static_cast<uint32_t>(x.before),
                   static_cast<uint32_t>(y.after), static_cast<uint32_t>(x.after)};
    for (const int id : {op.in0, op.in1}) {
      if (id < 0) continue;
      Region& read = tile.computed[id];
      read = {united(read.y, y.in), united(read.x, x.in)};
    }
  }
  return tile;
}

std::vector<Region> split(const IntTensor& output, uint32_t rows, uint32_t columns) {
  if (rows == 0 || columns == 0 || rows > output.h || columns > output.w)
    throw Error("patch: {}x{} tiles of '{}', which has {}x{} cells", rows, columns, output.name,
                output.h, output.w);
  const auto part = [](uint32_t size, uint32_t parts, uint32_t index) {
    return Span{int64_t{size} * index / parts, int64_t{size} * (index + 1) / parts};
  };
  std::vector<Region> regions;
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t column = 0; column < columns; ++column)
      regions.push_back({part(output.h, rows, row), part(output.w, columns, column)});
  return regions;
}

}  // namespace mcusim::patch
