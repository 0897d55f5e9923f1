// SPDX-License-Identifier: MIT
// Walks the operators in order over a map of the arena that says which root
// tensor each byte belongs to at that time. An operator may read only bytes that
// its input's own root last wrote, and may not write what it reads.
#include <algorithm>

#include "kernels/host/validate.h"

namespace mcusim {
namespace {

using net::Tensor;

// Bytes of all reads and writes: real networks stay below 2^28.
constexpr uint64_t kMaxTouched_bytes = 1ull << 33;

class ArenaMap {
 public:
  explicit ArenaMap(const Container& c) : c_(c), owner_(c.header.arena_bytes, net::kNone) {}

  void write(uint16_t id) {
    const Window window = window_of(c_, id);
    for_each_run(id, window, [&](uint16_t* first, size_t count) {
      std::fill_n(first, count, static_cast<uint16_t>(window.root));
    });
  }

  // False when some byte does not hold the tensor's value.
  bool holds(uint16_t id) {
    const Window window = window_of(c_, id);
    bool all = true;
    for_each_run(id, window, [&](const uint16_t* first, size_t count) {
      all = all && std::all_of(first, first + count, [&](uint16_t o) { return o == window.root; });
    });
    return all;
  }

 private:
  template <typename Visit>
  void for_each_run(uint16_t id, const Window& window, Visit visit) {
    const Tensor& t = c_.tensors[id];
    touched_bytes_ += uint64_t{window.h} * window.w * window.bytes;
    if (touched_bytes_ > kMaxTouched_bytes)
      throw Error("net.bin: the operators touch more than {} bytes", kMaxTouched_bytes);
    const bool whole_pixels = window.bytes == t.pixel_stride_bytes;
    for (uint32_t y = 0; y < window.h; ++y) {
      uint16_t* row = owner_.data() + t.arena_offset + uint64_t{y} * t.row_stride_bytes;
      if (whole_pixels) {
        visit(row, size_t{window.w} * window.bytes);
        continue;
      }
      for (uint32_t x = 0; x < window.w; ++x)
        visit(row + uint64_t{x} * t.pixel_stride_bytes, size_t{window.bytes});
    }
  }

  const Container& c_;
  std::vector<uint16_t> owner_;
  uint64_t touched_bytes_ = 0;
};

bool meet(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
  return a < b + uint64_t{b_size} && b < a + uint64_t{a_size};
}

// Whether two tensors share a byte. Views of one root are compared as boxes,
// tensors of different roots by the byte ranges they span.
bool overlap(const Container& c, uint16_t a, uint16_t b) {
  const Window p = window_of(c, a), q = window_of(c, b);
  if (p.root == q.root)
    return meet(p.y, p.h, q.y, q.h) && meet(p.x, p.w, q.x, q.w) &&
           meet(p.first_byte, p.bytes, q.first_byte, q.bytes);
  const auto span = [&](uint16_t id, const Window& w) {
    const Tensor& t = c.tensors[id];
    return (w.h - 1) * t.row_stride_bytes + (w.w - 1) * t.pixel_stride_bytes + w.bytes;
  };
  return meet(c.tensors[a].arena_offset, span(a, p), c.tensors[b].arena_offset, span(b, q));
}

void check_root(const Container& c, uint16_t id, const char* role) {
  if (c.tensors[id].parent != net::kNone)
    throw Error("{}: an {} of the network may not be a view", place_of_tensor(c, id), role);
}

}  // namespace

Window window_of(const Container& c, uint16_t id) {
  const Tensor& t = c.tensors[id];
  Window window;
  window.root = id;
  while (c.tensors[window.root].parent != net::kNone) window.root = c.tensors[window.root].parent;
  const uint32_t distance = t.arena_offset - c.tensors[window.root].arena_offset;
  window.y = distance / t.row_stride_bytes;
  window.x = distance % t.row_stride_bytes / t.pixel_stride_bytes;
  window.first_byte = distance % t.pixel_stride_bytes;
  window.h = t.h;
  window.w = t.w;
  window.bytes = (t.c * t.bits + 7) / 8;
  return window;
}

void check_schedule(const Container& c) {
  ArenaMap arena(c);
  for (const uint16_t id : c.inputs) {
    check_root(c, id, "input");
    arena.write(id);
  }
  for (const uint16_t id : c.inputs)
    if (!arena.holds(id)) throw Error("{}: two inputs overlap", place_of_tensor(c, id));
  for (size_t i = 0; i < c.ops.size(); ++i) {
    const net::Op& op = c.ops[i];
    for (const uint16_t in : {op.in0, op.in1}) {
      if (in == net::kNone) continue;
      if (!arena.holds(in))
        throw Error("{}: reads {}, which was never written or is overwritten by now",
                    place_of_op(c, i), place_of_tensor(c, in).substr(9));
      if (overlap(c, in, op.out))
        throw Error("{}: writes over its own input {}", place_of_op(c, i),
                    place_of_tensor(c, in).substr(9));
    }
    arena.write(op.out);
  }
  for (const uint16_t id : c.outputs) {
    check_root(c, id, "output");
    if (!arena.holds(id))
      throw Error("{}: this output was never written or is overwritten", place_of_tensor(c, id));
  }
}

}  // namespace mcusim
