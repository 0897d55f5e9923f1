// SPDX-License-Identifier: MIT
// Convolution, any kernel, stride and padding: four output pixels in raster order
// are expanded into lanes (a group may cross a row end), then every channel pair
// runs on them.
//
// Pixels whose kernel rows are whole words inside the tensor are expanded in
// place; all others (borders, odd channel counts) gather their bytes first, so no
// load passes the end of the tensor. Padding cells hold the zero point. Freestanding.
#pragma once

#include "kernels/ops/lanes.h"
#include "kernels/ops/matmul.h"

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

// Expands one pixel; returns its element sum.
template <int kIn, bool kBytes>
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
        sum += expand<kIn, kBytes, 4>(from, words, d);
        d += words * kLaneWords<kIn, kBytes, 4>;
      }
      return sum;
    }
    gather_rows(v, from, layer.stream);
  } else {
    gather(v, at, layer.stream);
  }
  return expand<kIn, kBytes, 4>(layer.stream, layer.words, d);
}

// Everything of a convolution that does not depend on weight and output widths.
template <int kIn, bool kBytes>
[[gnu::noinline]] void conv_front(const KernelCall& call, const Back& back) {
  const net::Op& op = *call.op;
  const net::Tensor& out = *call.out;
  const Form& form = *back.form;
  const Window window = make_window<kIn>(call);

  Layer layer;
  layer.op = &op;
  layer.file = call.file;
  layer.weights = reinterpret_cast<const Word*>(call.file + op.weights_offset);
  layer.co = out.c;
  layer.words = stream_words<uint32_t>(window.kernel_h * window.kernel_w, call.in0->c, kIn);
  const uint32_t steps = lane_steps<uint32_t>(form, layer.words, kIn);
  layer.stage = make_stage(op, out);
  layer.lanes = reinterpret_cast<Word*>(call.scratch);
  layer.walk = make_walk<4>(form, layer.lanes, steps, kIn);
  layer.channels = reinterpret_cast<Channel*>(layer.lanes + 4 * steps + kTail_bytes / 4);
  const uint32_t records = (out.c + 1) / 2 * 2;
  layer.stream = reinterpret_cast<uint8_t*>(layer.channels + records);
  back.make_channels(layer, 0, records, form.zero_offset);
  clear_tail<4>(form, layer, kIn);
  // Stream bytes behind the last tap: written once, 0.
  *reinterpret_cast<Word*>(layer.stream + 4 * layer.words - 4) = 0;

  Group group;
  const uint32_t stride_w = op.stride_w, stride_h = op.stride_h;
  const uint32_t pixel_stride = out.pixel_stride_bytes;
  const int32_t left = -int32_t{op.pad_left};
  Corner at = {-int32_t{op.pad_top}, left};
  uint8_t* pixel = call.arena + out.arena_offset;
  const uint8_t* row_end = pixel + out.w * pixel_stride;
  for (uint32_t remaining = out.h * out.w; remaining > 0;) {
    Word* d = layer.lanes;
    for (uint32_t column = 0; column < 4; ++column, d += kBytes ? 4 : 1) {
      group.out[column] = pixel;
      group.sum[column] = expand_pixel<kIn, kBytes>(window, at, layer, d);
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
    back.run_group(layer, group);
  }
}

}  // namespace matmul

namespace ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void conv(const KernelCall& call) {
  using Core = decltype(matmul::core_of<kIn, kWeight>());
  static constexpr matmul::Back kBack = {&Core::form, matmul::make_channels<kContract>,
                                         matmul::run_group<Core, kOut, kContract>};
  matmul::conv_front<kIn, Core::form.bytes>(call, kBack);
}

}  // namespace ops
}  // namespace mcusim
