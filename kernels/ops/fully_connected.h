// SPDX-License-Identifier: MIT
// Fully connected: the input h*w*c is expanded once, then blocks of eight channels
// run over it (kernels/ops/cores/vector.h).
//
// The K stream is the dense flattened input; an input whose pixels end inside a
// byte is repacked element by element. Freestanding.
#pragma once

#include "kernels/ops/cores/vector.h"
#include "kernels/ops/lanes.h"
#include "kernels/ops/matmul.h"

namespace mcusim {
namespace matmul {

// Element by element; `stream` starts cleared.
[[gnu::noinline]] inline void repack(const uint8_t* pixel, uint32_t channels, uint32_t bits,
                                     uint8_t* stream, uint32_t position) {
  for (uint32_t i = 0; i < channels; ++i, ++position) {
    const uint32_t v = pixel[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
    stream[position * bits / 8] |= static_cast<uint8_t>(v << (position * bits % 8));
  }
}

// Expands the whole input; returns its element sum.
template <int kIn>
[[gnu::noinline]] uint32_t expand_input(const KernelCall& call, const Layer& layer) {
  const net::Tensor& in = *call.in0;
  const uint8_t* base = call.arena + in.arena_offset;
  const uint32_t bytes = in.c * kIn / 8, odd_bits = in.c * kIn % 8;
  const bool dense = odd_bits == 0 &&
                     (in.w == 1 || in.pixel_stride_bytes == bytes) &&
                     (in.h == 1 || in.row_stride_bytes == bytes * in.w) &&
                     in.h * in.w * bytes % 4 == 0;
  if (!dense) {
    for (uint32_t i = 0; i < layer.words; ++i) reinterpret_cast<Word*>(layer.stream)[i] = 0;
    for (uint32_t y = 0; y < in.h; ++y)
      for (uint32_t x = 0; x < in.w; ++x) {
        const uint32_t index = y * in.w + x;
        const uint8_t* pixel = base + y * in.row_stride_bytes + x * in.pixel_stride_bytes;
        if (odd_bits == 0)
          copy_bytes(layer.stream + index * bytes, pixel, bytes);
        else
          repack(pixel, in.c, kIn, layer.stream, index * in.c);
      }
    base = layer.stream;
  }
  return expand<kIn, 1>(base, layer.words, layer.lanes);
}

// How a split accumulator is cut into chunks.
inline VectorWalk make_vector_walk(const Form& form, const Word* lanes, uint32_t steps,
                                   int in_bits) {
  const uint32_t chunk = chunk_steps(form, in_bits);
  return {steps, (steps - 1) % chunk + 1, chunk, lanes};
}

// One block of eight channels from `first`, whose records are at `ch`.
template <const Form& kForm, int kOut, net::Contract kContract>
[[gnu::noinline]] void run_channels(const Layer& layer, const VectorWalk& walk,
                                    const Channel* ch, uint32_t first, uint32_t sum,
                                    uint8_t* pixel) {
  uint32_t c0[4], c1[4];
#pragma GCC unroll 4
  for (int p = 0; p < 4; ++p) {
    c0[p] = ch[2 * p].start(sum);
    c1[p] = ch[2 * p + 1].start(sum);
  }
  run_vector<kForm>(layer.weights + first / 2 * layer.row_words, walk, c0, c1);
  for (uint32_t p = 0; p < 4; ++p) {
    const uint32_t c = first + 2 * p;
    if (c >= layer.co) return;
    const bool both = c + 1 < layer.co;
    const uint32_t y0 = requantise_one<kContract, kOut>(
        c0[p], ch[2 * p], layer.stage, thresholds_for<kContract, kOut>(layer, c));
    uint32_t y1 = 0;
    if (both)
      y1 = requantise_one<kContract, kOut>(c1[p], ch[2 * p + 1], layer.stage,
                                           thresholds_for<kContract, kOut>(layer, c + 1));
    if constexpr (kOut < 8) {
      store_pair<kOut>(pixel, c, y0, y1);
    } else {
      pixel[c] = static_cast<uint8_t>(y0);
      if (both) pixel[c + 1] = static_cast<uint8_t>(y1);
    }
  }
}

struct VectorBack {
  const Form* form;
  void (*make_channels)(const Layer&, uint32_t first, uint32_t count, int32_t odd_offset,
                        Channel* to);
  void (*run_channels)(const Layer&, const VectorWalk&, const Channel*, uint32_t first,
                       uint32_t sum, uint8_t* pixel);
};

template <int kIn>
[[gnu::noinline]] void fully_connected_front(const KernelCall& call, const VectorBack& back) {
  const net::Op& op = *call.op;
  const net::Tensor& in = *call.in0;
  const Form& form = *back.form;
  constexpr uint32_t kBlock = 2 * kFullyConnectedPairs;
  Layer layer;
  layer.op = &op;
  layer.file = call.file;
  layer.weights = reinterpret_cast<const Word*>(call.file + op.weights_offset);
  layer.co = call.out->c;
  layer.words = stream_words<uint32_t>(1, in.h * in.w * in.c, kIn);
  const uint32_t steps = lane_steps<uint32_t>(form, layer.words, kIn);
  layer.lanes = reinterpret_cast<Word*>(call.scratch);
  const VectorWalk walk = make_vector_walk(form, layer.lanes, steps, kIn);
  layer.row_words = row_words(form, steps);
  layer.stage = make_stage(op, *call.out);
  const uint32_t lane_words = (steps + 3) / 4 * 4 + kTail_bytes / 4;
  Channel* const channels = reinterpret_cast<Channel*>(layer.lanes + lane_words);
  layer.stream = reinterpret_cast<uint8_t*>(channels + kBlock);
  clear_lanes(layer.lanes, stream_lanes(layer.words, kIn), steps + kTail_bytes / 4);
  const uint32_t sum = expand_input<kIn>(call, layer);
  uint8_t* pixel = call.arena + call.out->arena_offset;
  for (uint32_t c = 0; c < layer.co; c += kBlock) {
    back.make_channels(layer, c, kBlock, form.zero_offset, channels);
    back.run_channels(layer, walk, channels, c, sum, pixel);
  }
}

}  // namespace matmul

namespace ops {

template <int kIn, int kWeight, int kOut, net::Contract kContract>
inline void fully_connected(const KernelCall& call) {
  static constexpr const matmul::Form& kForm = matmul::form_of(kIn, kWeight);
  static constexpr matmul::VectorBack kBack = {&kForm, matmul::make_channels<kContract>,
                                               matmul::run_channels<kForm, kOut, kContract>};
  matmul::fully_connected_front<kIn>(call, kBack);
}

}  // namespace ops
}  // namespace mcusim
