// SPDX-License-Identifier: MIT
// Convolution, any kernel, stride and padding: a block of output pixels in raster
// order is expanded into lanes, four pixels a group (a group may cross a row end),
// then every channel pair runs over the block.
//
// Pixels whose kernel rows are whole words inside the tensor are expanded in
// place; all others (borders, odd channel counts) gather their bytes first, so no
// load passes the end of the tensor. Padding cells hold the zero point. Freestanding.
#pragma once

#include "kernels/ops/conv_block.h"
#include "kernels/ops/lanes.h"

namespace mcusim {
namespace matmul {

// What the gathering of a layer's pixels needs.
struct Window {
  const uint8_t* in;
  uint32_t row_stride, pixel_stride;
  uint32_t h, w, kernel_h, kernel_w;
  uint32_t pixel_bytes, run_bytes;  // of one tap; of one kernel row
  uint32_t fill;                    // zero point in every element of a byte
  uint8_t fill_last;                // the same in the last byte of a pixel
  uint32_t inside_h, inside_w;      // corners below these need no padding (0: gather)
  bool direct;                      // kernel rows are whole words
};

template <int kIn>
inline Window make_window(const KernelCall& call) {
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  Window v;
  v.in = call.arena + in.arena_offset;
  v.row_stride = in.row_stride_bytes;
  v.pixel_stride = in.pixel_stride_bytes;
  v.h = in.h, v.w = in.w, v.kernel_h = op.kernel_h, v.kernel_w = op.kernel_w;
  v.pixel_bytes = (in.c * kIn + 7) / 8;
  v.run_bytes = v.pixel_bytes * v.kernel_w;
  const uint32_t zero = static_cast<uint32_t>(in.zero_point);
  v.fill = zero * (kIn == 8 ? 1u : kIn == 4 ? 0x11u : 0x55u) & 0xFF;
  const uint32_t used = in.c * kIn % 8;
  v.fill_last = static_cast<uint8_t>(used ? v.fill & ((1u << used) - 1) : v.fill);
  // Kernel rows with gaps between pixels are gathered tap by tap.
  const bool contiguous = v.kernel_w == 1 || v.pixel_stride == v.pixel_bytes;
  v.inside_h = contiguous && v.h >= v.kernel_h ? v.h - v.kernel_h + 1 : 0;
  v.inside_w = v.w >= v.kernel_w ? v.w - v.kernel_w + 1 : 0;
  v.direct = v.run_bytes % 4 == 0;
  return v;
}

// Top left input cell of a window; may lie in the padding.
struct Corner {
  int32_t y, x;
};

[[gnu::noinline]] inline void gather(const Window& v, Corner at, uint8_t* stream) {
  for (uint32_t ky = 0; ky < v.kernel_h; ++ky) {
    const uint32_t y = static_cast<uint32_t>(at.y) + ky;
    for (uint32_t kx = 0; kx < v.kernel_w; ++kx) {
      const uint32_t x = static_cast<uint32_t>(at.x) + kx;
      if (y < v.h && x < v.w) {
        copy_bytes(stream, v.in + y * v.row_stride + x * v.pixel_stride, v.pixel_bytes);
        stream += v.pixel_bytes;
      } else {
        for (uint32_t i = 1; i < v.pixel_bytes; ++i) *stream++ = static_cast<uint8_t>(v.fill);
        *stream++ = v.fill_last;
      }
    }
  }
}

[[gnu::always_inline]] inline void gather_rows(const Window& v, const uint8_t* from,
                                               uint8_t* stream) {
  using simd::load_any, simd::store_any;
  const uint32_t bytes = v.run_bytes, stride = v.row_stride;
  if (bytes - 8 <= 4) {  // two words and a rest, as first layers have it
    for (uint32_t ky = v.kernel_h; ky > 0; --ky) {
      store_any(stream, load_any(from));
      store_any(stream + 4, load_any(from + 4));
      store_any(stream + bytes - 4, load_any(from + bytes - 4));
      stream += bytes;
      from += stride;
    }
    return;
  }
  for (uint32_t ky = v.kernel_h; ky > 0; --ky) {
    copy_bytes(stream, from, bytes);
    stream += bytes;
    from += stride;
  }
}

// Expands one pixel; returns its element sum where the form needs it.
template <int kIn, bool kBytes, bool kSums>
[[gnu::always_inline]] inline uint32_t expand_pixel(const Window& v, Corner at,
                                                    const Layer& layer, Word* d) {
  const bool inside = static_cast<uint32_t>(at.y) < v.inside_h &&
                      static_cast<uint32_t>(at.x) < v.inside_w;
  if (inside) {
    const uint8_t* from = v.in + static_cast<uint32_t>(at.y) * v.row_stride +
                          static_cast<uint32_t>(at.x) * v.pixel_stride;
    if (v.direct) {
      const uint32_t words = v.run_bytes / 4;
      uint32_t sum = 0;
      for (uint32_t ky = 0; ky < v.kernel_h; ++ky, from += v.row_stride) {
        sum += expand<kIn, kBytes, 4, kSums>(from, words, d);
        d += words * kLaneWords<kIn, kBytes, 4>;
      }
      return sum;
    }
    gather_rows(v, from, layer.stream);
  } else {
    gather(v, at, layer.stream);
  }
  return expand<kIn, kBytes, 4, kSums>(layer.stream, layer.words, d);
}

// Everything of a convolution that does not depend on weight and output widths.
template <int kIn, bool kBytes, bool kSums>
[[gnu::noinline]] void conv_front(const KernelCall& call, const Back& back) {
  const net::Op& op = *call.op;
  const net::Tensor& out = *call.out;
  const Form& form = *back.form;
  const Window window = make_window<kIn>(call);
  const ConvPlan<uint32_t> plan = plan_conv<uint32_t>(
      form, window.kernel_h * window.kernel_w, call.in0->c, kIn, out.h * out.w);

  Layer layer;
  layer.op = &op;
  layer.file = call.file;
  layer.weights = reinterpret_cast<const Word*>(call.file + op.weights_offset);
  layer.co = out.c;
  layer.words = plan.words;
  layer.row_words = row_words(form, plan.steps);
  layer.stage = make_stage(op, out);
  layer.lanes = reinterpret_cast<Word*>(call.scratch);
  layer.stream = call.scratch + plan.stream_offset;
  Block block;
  block.walk = {plan.steps, 4 * plan.steps, plan.group_words};
  block.wide = reinterpret_cast<Word*>(call.scratch + plan.wide_offset);
  block.arena = call.arena;
  block.most_sum = uint64_t{layer.words} * (32 / kIn) * ((1u << kIn) - 1);
  const uint32_t lane_words = 4 * plan.steps, group_words = plan.group_words;
  const uint32_t filled = 4 * stream_lanes(form, layer.words, kIn);
  for (uint32_t g = 0; g < plan.block_groups; ++g)
    clear_lanes(layer.lanes + g * group_words, filled, lane_words);
  // What cores read ahead.
  clear_lanes(layer.lanes + plan.block_groups * group_words, 0, kTail_bytes / 4);
  if constexpr (!kSums) clear_lanes(block.wide, 2 * plan.steps, 2 * plan.steps + kWideTail_words);
  // Stream bytes behind the last tap: written once, 0.
  *reinterpret_cast<Word*>(layer.stream + 4 * layer.words - 4) = 0;

  const uint32_t stride_w = op.stride_w, stride_h = op.stride_h;
  const uint32_t pixel_stride = out.pixel_stride_bytes;
  const int32_t left = -int32_t{op.pad_left};
  Corner at = {-int32_t{op.pad_top}, left};
  uint32_t pixel = out.arena_offset;
  uint32_t row_end = pixel + out.w * pixel_stride;
  for (uint32_t remaining = out.h * out.w; remaining > 0;) {
    Word* lanes = layer.lanes;
    for (uint32_t g = plan.block_groups; g > 0 && remaining > 0; --g) {
      Word *d = lanes, *record = lanes + lane_words;
      for (uint32_t column = 0; column < 4; ++column, ++record, d += kBytes ? 4 : 1) {
        record[0] = pixel;
        const uint32_t sum = expand_pixel<kIn, kBytes, kSums>(window, at, layer, d);
        if constexpr (kSums) record[4] = sum;
        if (remaining <= 1) {  // the last pixel repeats
          remaining = 0;
          continue;
        }
        --remaining;
        at.x += stride_w;
        pixel += pixel_stride;
        if (pixel == row_end) {
          at = {static_cast<int32_t>(at.y + stride_h), left};
          pixel += out.row_stride_bytes - out.w * pixel_stride;
          row_end += out.row_stride_bytes;
        }
      }
      lanes += group_words;
    }
    block.end = lanes;
    back.run_block(layer, block);
  }
}

}  // namespace matmul

namespace ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void conv(const KernelCall& call) {
  using Core = decltype(matmul::core_of<kIn, kWeight>());
  static constexpr matmul::Back kBack = {&Core::form,
                                         matmul::run_block<Core, kOut, kContract>};
  matmul::conv_front<kIn, Core::form.bytes, !matmul::widens(Core::form)>(call, kBack);
}

}  // namespace ops
}  // namespace mcusim
