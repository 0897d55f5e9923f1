// SPDX-License-Identifier: MIT
// Depthwise convolution: each channel with its own small kernel.
//
// Channel-innermost data is the wrong shape for SMLAD, so the common kernels run on
// channel planes in scratch (depthwise_planes.h): a tile of channels is expanded
// once into records, each row pair of the input is converted once, and a pass over
// the ring of row pairs makes one or two output rows. Weight and activation widths
// matter to expansion and conversion alone. Everything else, and groups whose
// requantisation does not fit the fast loops, runs in the general form.
// Freestanding.
#pragma once

#include "kernels/ops/clamp_pass.h"
#include "kernels/ops/depthwise_general.h"
#include "kernels/ops/depthwise_lines.h"
#include "kernels/ops/depthwise_pass_5x5_stride2.h"
#include "kernels/ops/depthwise_passes.h"
#include "kernels/ops/depthwise_planes.h"
#include "kernels/ops/depthwise_records.h"

namespace mcusim::ops {

// One pass of a form over the ring whose oldest pair is in `oldest`.
template <Finish kFinish, int kBits>
[[gnu::noinline]] void run_pass(DepthwiseForm form, uint32_t oldest, const PlanePass& pass) {
  if (form == DepthwiseForm::three_stride1) {
    oldest ? pass_3x3_stride1<kFinish, kBits, 1>(pass) : pass_3x3_stride1<kFinish, kBits, 0>(pass);
  } else if (form == DepthwiseForm::three_stride2) {
    oldest ? pass_3x3_stride2<kFinish, kBits, 1>(pass) : pass_3x3_stride2<kFinish, kBits, 0>(pass);
  } else if (form == DepthwiseForm::five_stride2) {
    pass_5x5_stride2<kFinish, kBits>(pass, oldest);
  } else if (oldest == 0) {
    pass_5x5_stride1<kFinish, kBits, 0>(pass);
  } else if (oldest == 1) {
    pass_5x5_stride1<kFinish, kBits, 1>(pass);
  } else {
    pass_5x5_stride1<kFinish, kBits, 2>(pass);
  }
}

// The images as the passes see them.
struct DepthwiseImages {
  net::Tensor in, out;
  uint32_t pad_top, pad_left;
};

inline net::Tensor transposed(const net::Tensor& t) {
  net::Tensor r = t;
  r.h = t.w;
  r.w = t.h;
  r.row_stride_bytes = t.pixel_stride_bytes;
  r.pixel_stride_bytes = t.row_stride_bytes;
  return r;
}

// A tile at work: channels [first, first + channels) of one call.
struct DepthwiseTile {
  const KernelCall& call;
  const DepthwisePlan& plan;
  const DepthwiseImages& images;
  uint32_t first, channels;

  uint32_t* planes() const { return reinterpret_cast<uint32_t*>(call.scratch); }
  uint32_t* records() const {
    return reinterpret_cast<uint32_t*>(call.scratch + plan.records_offset);
  }
  uint8_t* lines() const { return call.scratch + plan.lines_offset; }
  uint8_t* sums() const { return call.scratch + plan.sums_offset; }
  uint32_t plane_words() const { return plan.plane_columns * plan.ring; }
  uint32_t padded_channels() const { return (channels + kGroup - 1) / kGroup * kGroup; }
};

// Builds records from `first` on; returns how many channels of whole groups are
// fused. Records of the channels that fill the last group give 0.
template <int kWeightBits, net::Contract kContract>
[[gnu::noinline]] uint32_t build_records(const KernelCall& call, const DepthwisePlan& plan,
                                         uint32_t first) {
  const net::Op& op = *call.op;
  const uint32_t limit = min_u32(plan.tile_channels, call.out->c - first);
  uint32_t* record = reinterpret_cast<uint32_t*>(call.scratch + plan.records_offset);
  for (uint32_t c = 0; c < limit; c += kGroup) {
    for (uint32_t i = 0; i < kGroup; ++i, record += plan.record_words) {
      const uint32_t at = first + c + i;
      if (c + i >= limit) {
        for (uint32_t k = 0; k < plan.record_words; ++k) record[k] = 0;
        continue;
      }
      const bool fused =
          op.kernel_h == 5
              ? build_record<kWeightBits, kContract, 5>(call, plan, at, record)
              : build_record<kWeightBits, kContract, 3>(call, plan, at, record);
      if (!fused) return c;
    }
  }
  return limit;
}

// Columns left and right of the input hold the zero point in every ring slot.
inline void fill_border_columns(const DepthwiseTile& tile, uint32_t left, uint32_t inner) {
  const uint32_t padding = static_cast<uint32_t>(tile.images.in.zero_point) * 0x00010001u;
  const uint32_t ring = tile.plan.ring, words = tile.plane_words();
  uint32_t* plane = tile.planes();
  for (uint32_t c = tile.padded_channels(); c != 0; --c, plane += words) {
    for (uint32_t i = 0; i < left * ring; ++i) plane[i] = padding;
    for (uint32_t i = (left + inner) * ring; i < words; ++i) plane[i] = padding;
  }
}

// Converts pair `index` (rows 2*index - pad_top and the next) into its ring slot.
template <int kInBits>
[[gnu::noinline]] void convert(const DepthwiseTile& tile, uint32_t index, uint32_t slot,
                               uint32_t left, uint32_t inner) {
  const net::Tensor& in = tile.images.in;
  const uint32_t row = 2 * index - tile.images.pad_top;  // wraps above the input
  const auto source = [&](uint32_t y) -> const uint8_t* {
    if (y >= in.h) return nullptr;
    return pixel(in, tile.call.arena, y, 0) + packed_bytes<kInBits>(tile.first);
  };
  const PairSource pair = {source(row), source(row + 1), in.pixel_stride_bytes, inner,
                           static_cast<uint32_t>(in.zero_point)};
  uint32_t* to = tile.planes() + left * tile.plan.ring + slot;
  if (tile.plan.ring == 2) {
    convert_pair<kInBits, 2>(pair, tile.channels, to, tile.plane_words());
  } else {
    convert_pair<kInBits, 3>(pair, tile.channels, to, tile.plane_words());
  }
}

// Output rows [y, y + rows) of the tile, rows being 1 or 2.
template <int kOutBits, Finish kFinish>
[[gnu::noinline]] void make_rows(const DepthwiseTile& tile, uint32_t oldest, uint32_t y,
                                 uint32_t rows) {
  const net::Tensor& out = tile.images.out;
  const DepthwisePlan& plan = tile.plan;
  uint8_t* target = pixel(out, tile.call.arena, y, 0) + packed_bytes<kOutBits>(tile.first);
  const uint32_t column_words = plan.ring * plan.stride;
  PlanePass pass = {rows == 2 ? out.row_stride_bytes : 0,
                    out.pixel_stride_bytes,
                    tile.records(),
                    tile.planes(),
                    target,
                    (out.w & ~1u) * column_words * 4,
                    tile.plane_words() * 4,
                    1,
                    out.w & 1u,
                    tile.records() + tile.channels * plan.record_words};
  if constexpr (kOutBits == 8) {
    run_pass<kFinish, kOutBits>(plan.form, oldest, pass);
  } else {
    const uint32_t channel_bytes = plan.rows * plan.line_columns;
    for (uint32_t c = 0; c < tile.channels; c += kGroup) {
      const uint32_t count = min_u32(kGroup, tile.channels - c);
      if constexpr (kFinish == Finish::sums) {
        pass.out = tile.sums();
        pass.row_bytes = plan.line_columns * 4;
        pass.column_bytes = 4;
        for (uint32_t i = 0; i < count; ++i) {
          pass.plane = tile.planes() + (c + i) * tile.plane_words();
          pass.record = tile.records() + (c + i) * plan.record_words;
          pass.records_end = pass.record + plan.record_words;
          run_pass<kFinish, kOutBits>(plan.form, oldest, pass);
          threshold_line<kOutBits>(*tile.call.op, tile.call.file, tile.first + c + i, tile.sums(),
                                   channel_bytes, tile.lines() + i * channel_bytes);
        }
      } else {
        pass.out = tile.lines();
        pass.channel_bytes = channel_bytes;
        pass.row_bytes = plan.line_columns;
        pass.column_bytes = 1;
        pass.plane = tile.planes() + c * tile.plane_words();
        pass.record = tile.records() + c * plan.record_words;
        pass.records_end = pass.record + kGroup * plan.record_words;
        run_pass<kFinish, kOutBits>(plan.form, oldest, pass);
      }
      if (count < kGroup) {
        zero_words(tile.lines() + count * channel_bytes, (kGroup - count) * channel_bytes);
      }
      uint8_t* to = target + packed_bytes<kOutBits>(c);
      for (uint32_t r = 0; r < rows; ++r, to += out.row_stride_bytes) {
        pack_lines<kOutBits>(tile.lines() + r * plan.line_columns, channel_bytes, out.w, count, to,
                             out.pixel_stride_bytes);
      }
    }
  }
}

// Input width and output form are function pointers here, so that all rows of an
// image share this code.
struct DepthwiseSteps {
  void (*convert)(const DepthwiseTile&, uint32_t index, uint32_t slot, uint32_t left,
                  uint32_t inner);
  void (*make_rows)(const DepthwiseTile&, uint32_t oldest, uint32_t y, uint32_t rows);
};

[[gnu::noinline]] inline void run_tile(const DepthwiseTile& tile, const DepthwiseSteps& steps) {
  const DepthwisePlan& plan = tile.plan;
  const uint32_t height = tile.images.out.h, left = tile.images.pad_left;
  const uint32_t inner = min_u32(tile.images.in.w, plan.plane_columns - left);
  fill_border_columns(tile, left, inner);
  zero_words(tile.lines(), plan.bytes - plan.lines_offset);
  for (uint32_t i = 0; i + 1 < plan.ring; ++i) steps.convert(tile, i, i, left, inner);
  uint32_t oldest = 0, pair = plan.ring - 1;
  for (uint32_t y = 0; y < height; y += plan.rows, ++pair) {
    const uint32_t newest = oldest == 0 ? plan.ring - 1 : oldest - 1;
    steps.convert(tile, pair, newest, left, inner);
    steps.make_rows(tile, oldest, y, min_u32(plan.rows, height - y));
    if (++oldest == plan.ring) oldest = 0;
  }
}

template <int kOutBits, net::Contract kContract>
inline auto rows_maker(const net::Tensor& out) {
  if constexpr (kContract == net::Contract::tflite)
    return out.zero_point == 0 ? make_rows<kOutBits, Finish::rounded>
                               : make_rows<kOutBits, Finish::tflite>;
  else if constexpr (kContract == net::Contract::icn_floor)
    return make_rows<kOutBits, Finish::icn>;
  else
    return make_rows<kOutBits, Finish::sums>;
}

template <int kInBits, int kWeightBits, int kOutBits, net::Contract kContract>
inline void depthwise(const KernelCall& call) {
  const DepthwisePlan plan = plan_depthwise(*call.op, *call.out);
  const DepthwiseImages images =
      plan.transposed
          ? DepthwiseImages{transposed(*call.in0), transposed(*call.out), call.op->pad_left,
                            call.op->pad_top}
          : DepthwiseImages{*call.in0, *call.out, call.op->pad_top, call.op->pad_left};
  for (uint32_t c = 0; c < call.out->c;) {
    const uint32_t fused =
        plan.form == DepthwiseForm::general
            ? 0
            : build_records<kWeightBits, kContract>(call, plan, c);
    if (fused != 0) {
      run_tile({call, plan, images, c, fused},
               {convert<kInBits>, rows_maker<kOutBits, kContract>(*call.out)});
      c += fused;
    } else {
      depthwise_group<kOutBits, kContract>(
          call, c,
          {add_taps<kInBits, kWeightBits>, unfold_bias<kWeightBits>, kWeightBits / 2});
      c += kGroup;
    }
  }
  if constexpr (kContract == net::Contract::tflite) clamp_output(call);
}

}  // namespace mcusim::ops
