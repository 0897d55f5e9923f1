// SPDX-License-Identifier: MIT
// Convolution, any kernel, stride and padding: a block of output pixels in raster
// order is expanded into lanes, four pixels a group (a group may cross a row end),
// then every channel pair runs over the block.
//
// Pixels whose kernel rows are whole words inside the tensor are expanded in
// place; all others (borders, odd channel counts) gather their bytes first, so no
// load passes the end of the tensor. Padding cells hold the zero point. Freestanding.
#pragma once

#include "kernels/ops/clamp_pass.h"
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
  uint8_t* stream;                  // one pixel's K stream, when it must be gathered
  uint32_t words;                   // of it
};

inline Window make_window(const KernelCall& call, uint32_t in_bits) {
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  Window v;
  v.in = call.arena + in.arena_offset;
  v.row_stride = in.row_stride_bytes;
  v.pixel_stride = in.pixel_stride_bytes;
  v.h = in.h, v.w = in.w, v.kernel_h = op.kernel_h, v.kernel_w = op.kernel_w;
  v.pixel_bytes = (in.c * in_bits + 7) / 8;
  v.run_bytes = v.pixel_bytes * v.kernel_w;
  const uint32_t zero = static_cast<uint32_t>(in.zero_point);
  v.fill = zero * (in_bits == 8 ? 1u : in_bits == 4 ? 0x11u : 0x55u) & 0xFF;
  const uint32_t used = in.c * in_bits % 8;
  v.fill_last = static_cast<uint8_t>(used ? v.fill & ((1u << used) - 1) : v.fill);
  // Kernel rows with gaps between pixels are gathered tap by tap.
  const bool contiguous = v.kernel_w == 1 || v.pixel_stride == v.pixel_bytes;
  v.inside_h = contiguous && v.h >= v.kernel_h ? v.h - v.kernel_h + 1 : 0;
  v.inside_w = v.w >= v.kernel_w ? v.w - v.kernel_w + 1 : 0;
  v.direct = v.run_bytes % 4 == 0;
  return v;
}

[[gnu::noinline, gnu::noclone]] inline void gather(const Window& v, Corner at, uint8_t* stream) {
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

// The three rows of nine bytes of a 3x3 kernel on three 8-bit channels, as first layers
// have it, straight into lanes.
template <bool kSums>
[[gnu::noinline, gnu::noclone]] uint32_t expand_three_by_nine(const uint8_t* from, uint32_t row_stride,
                                                       Word* d) {
  using simd::load_any;
  const uint8_t *next = from + row_stride, *last = next + row_stride;
  const uint32_t words[7] = {
      load_any(from),         load_any(from + 4),
      from[8] | load_any(next) << 8, load_any(next + 3),
      load_any(next + 5) >> 16 | load_any(last) << 16, load_any(last + 2),
      load_any(last + 5) >> 8};
  uint32_t sum = 0;
#pragma GCC unroll 7
  for (int i = 0; i < 7; ++i) sum = expand_word<8, 4, kSums>(words[i], d + 8 * i, sum);
  return sum;
}

// Expands one pixel; stores its element sum where the form needs it.
template <int kIn, bool kSums>
[[gnu::noinline, gnu::noclone]] void expand_pixel(const Window& v, Corner at, Word* d,
                                                  Word* sum_to) {
  const bool inside = static_cast<uint32_t>(at.y) < v.inside_h &&
                      static_cast<uint32_t>(at.x) < v.inside_w;
  uint32_t sum = 0;
  if (inside) {
    const uint8_t* from = v.in + static_cast<uint32_t>(at.y) * v.row_stride +
                          static_cast<uint32_t>(at.x) * v.pixel_stride;
    if (kIn == 8 && v.run_bytes == 9 && v.kernel_h == 3) {
      sum = expand_three_by_nine<kSums>(from, v.row_stride, d);
    } else if (v.direct) {
      const uint32_t words = v.run_bytes / 4;
      for (uint32_t ky = 0; ky < v.kernel_h; ++ky, from += v.row_stride) {
        sum += expand<kIn, 4, kSums>(from, words, d);
        d += words * kLaneWords<kIn, 4>;
      }
    } else {
      gather_rows(v, from, v.stream);
      sum = expand<kIn, 4, kSums>(v.stream, v.words, d);
    }
  } else {
    gather(v, at, v.stream);
    sum = expand<kIn, 4, kSums>(v.stream, v.words, d);
  }
  if constexpr (kSums) *sum_to = sum;
}

// A group whose pixels lie inside, `step` bytes apart, with kernel rows of whole words.
template <int kIn, bool kSums>
[[gnu::noinline, gnu::noclone]] void expand_group(const Window& v, const uint8_t* from, uint32_t step,
                                                  Word* d, [[maybe_unused]] Word* sums) {
  uint32_t sum[4] = {0, 0, 0, 0};
  for (uint32_t ky = v.kernel_h; ky > 0; --ky, from += v.row_stride) {
    const uint8_t* p = from;
    for (uint32_t n = v.run_bytes / 4; n > 0; --n, p += 4, d += kLaneWords<kIn, 4>) {
      const uint8_t* q = p;
#pragma GCC unroll 4
      for (uint32_t i = 0; i < 4; ++i, q += step)
        sum[i] = expand_word<kIn, 4, kSums>(simd::load_any(q), d + i, sum[i]);
    }
  }
  if constexpr (kSums)
    for (uint32_t i = 0; i < 4; ++i) sums[i] = sum[i];
}

// A pointwise convolution of tensors without gaps is one long row.
inline bool is_one_row(const KernelCall& call, const Window& v) {
  const net::Op& op = *call.op;
  return v.kernel_h * v.kernel_w * op.stride_h * op.stride_w == 1 &&
         (op.pad_top | op.pad_left | op.pad_bottom | op.pad_right) == 0 &&
         call.in0->row_stride_bytes == call.in0->w * v.pixel_stride &&
         call.out->row_stride_bytes == call.out->w * call.out->pixel_stride_bytes;
}

// The blocks of a convolution; the same for all widths.
[[gnu::noinline]] inline void conv_front(const KernelCall& call, const Back& back) {
  const net::Op& op = *call.op;
  const net::Tensor& out = *call.out;
  const Form& form = *back.form;
  const uint32_t in_bits = back.in_bits;
  Window window = make_window(call, in_bits);
  const ConvPlan<uint32_t> plan = plan_conv<uint32_t>(
      form, window.kernel_h * window.kernel_w, call.in0->c, in_bits, out.h * out.w);
  window.words = plan.words;
  window.stream = call.scratch + plan.stream_offset;

  Layer layer;
  layer.op = &op;
  layer.file = call.file;
  layer.weights = reinterpret_cast<const Word*>(call.file + op.weights_offset);
  layer.co = out.c;
  layer.words = plan.words;
  layer.row_words = row_words(form, plan.steps);
  layer.stage = make_stage(op, out);
  layer.lanes = reinterpret_cast<Word*>(call.scratch);
  const uint32_t lane_words = 4 * plan.steps, group_words = plan.group_words;
  Block block;
  block.walk = {plan.steps, lane_words, group_words, 0};
  block.wide = reinterpret_cast<Word*>(call.scratch + plan.wide_offset);
  block.arena = call.arena;
  block.most_sum = uint64_t{plan.words} * (32 / in_bits) * ((1u << in_bits) - 1);
  block.back = &back;

  // What expansion never writes and cores read, once.
  for (uint32_t g = 0; g < plan.block_groups; ++g)
    clear_lanes(layer.lanes + g * group_words, 4 * stream_lanes(plan.words, in_bits), lane_words);
  clear_lanes(layer.lanes + plan.block_groups * group_words, 0, kTail_bytes / 4);
  if (back.widen) {
    clear_lanes(block.wide, 2 * plan.steps, 2 * plan.steps + kWideTail_words);
  } else {
    block.walk.short_steps =
        (plan.steps - 1) % flush_steps(form, static_cast<int>(in_bits)) + 1;
  }
  *reinterpret_cast<Word*>(window.stream + 4 * plan.words - 4) = 0;

  const uint32_t stride_w = op.stride_w, stride_h = op.stride_h;
  const uint32_t pixel_stride = out.pixel_stride_bytes;
  const int32_t left = -int32_t{op.pad_left};
  Corner at = {-int32_t{op.pad_top}, left};
  uint32_t out_w = out.w;
  if (is_one_row(call, window)) window.w = window.inside_w = out_w = out.h * out.w;
  uint32_t pixel = out.arena_offset;
  uint32_t row_end = pixel + out_w * pixel_stride;
  // Rather groups of three pixels at the end than a group that repeats one.
  const uint32_t pixels = out.h * out.w, missing = (0u - pixels) & 3;
  const uint32_t in_threes = pixels >= 3 * missing ? 3 * missing : 0;
  for (uint32_t remaining = pixels; remaining > 0;) {
    Word* lanes = layer.lanes;
    block.threes = remaining > in_threes ? nullptr : lanes;
    for (uint32_t g = plan.block_groups; g > 0 && remaining > 0; --g) {
      Word *d = lanes, *record = lanes + lane_words;
      const bool three = remaining <= in_threes;
      if (three && !block.threes) block.threes = lanes;
      lanes += group_words;
      if (window.direct && remaining > 4 && !three && pixel + 4 * pixel_stride < row_end &&
          static_cast<uint32_t>(at.y) < window.inside_h && at.x >= 0 &&
          static_cast<uint32_t>(at.x) + 3 * stride_w < window.inside_w) {
        const uint8_t* from = window.in + static_cast<uint32_t>(at.y) * window.row_stride +
                              static_cast<uint32_t>(at.x) * window.pixel_stride;
        back.expand_group(window, from, stride_w * window.pixel_stride, d, record + 4);
        for (uint32_t column = 0; column < 4; ++column, pixel += pixel_stride)
          record[column] = pixel;
        at.x += 4 * stride_w;
        remaining -= 4;
        continue;
      }
      for (uint32_t column = 0; column < 4; ++column, ++record, ++d) {
        record[0] = pixel;
        back.expand_pixel(window, at, d, record + 4);
        if (three && column == 2) continue;
        if (remaining <= 1) {  // the last pixel repeats
          remaining = 0;
          continue;
        }
        --remaining;
        at.x += stride_w;
        pixel += pixel_stride;
        if (pixel == row_end) {
          at = {static_cast<int32_t>(at.y + stride_h), left};
          pixel += out.row_stride_bytes - out_w * pixel_stride;
          row_end += out.row_stride_bytes;
        }
      }
    }
    block.end = lanes;
    if (!block.threes) block.threes = lanes;
    back.run_block(layer, block);
  }
}

}  // namespace matmul

namespace ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void conv(const KernelCall& call) {
  using Core = decltype(matmul::core_of<kIn, kWeight>());
  static constexpr matmul::Back kBack = {kIn,
                                         &matmul::form_of(kIn, kWeight),
                                         matmul::widen_of<kIn, kWeight>(),
                                         matmul::expand_pixel<kIn, !Core::kWidens>,
                                         matmul::expand_group<kIn, !Core::kWidens>,
                                         matmul::run_block<Core, kOut, kContract>};
  matmul::conv_front(call, kBack);
  if constexpr (kContract == net::Contract::tflite) clamp_output(call);
}

}  // namespace ops
}  // namespace mcusim
