// SPDX-License-Identifier: MIT
// The common half of convolution and fully connected: what a layer is, channel
// records, the stores of a channel pair. Freestanding.
#pragma once

#include "kernels/ops/cores/packed.h"
#include "kernels/ops/cores/wide.h"
#include "kernels/requant.h"

namespace mcusim::matmul {

// A layer as its inner loops see it; built once per call.
struct Layer {
  const net::Op* op;
  const uint8_t* file;
  const Word* weights;
  Word* lanes;                    // in scratch
  uint8_t* stream;                // fully connected: the K stream, when it must be gathered
  uint32_t co, words, row_words;  // output channels; stream words of a pixel; weight row
  Stage stage;
};

template <net::Contract kContract>
[[gnu::noinline]] void make_channels(const Layer& layer, uint32_t first, uint32_t count,
                                     int32_t odd_offset, Channel* to) {
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t c = first + i;
    to[i] = c < layer.co
                ? make_channel<kContract>(*layer.op, layer.file, c, c & 1 ? odd_offset : 0)
                : Channel{0, 0, 0, 0};
  }
}

// Zeroes lane words that expansion never writes: those from the end of the stream to
// the end of the core's steps, and what is read ahead.
[[gnu::noinline]] inline void clear_lanes(Word* lanes, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; ++i) lanes[i] = 0;
}

// Lane words of a pixel that its stream fills.
constexpr uint32_t stream_lanes(uint32_t words, uint32_t in_bits) {
  return words * (16 / in_bits);
}

template <net::Contract kContract, int kOut>
[[gnu::always_inline]] inline const uint8_t* thresholds_for(const Layer& layer, uint32_t c) {
  if constexpr (kContract == net::Contract::thresholds)
    return thresholds_of<kOut>(*layer.op, layer.file, c);
  return nullptr;
}

// Stores channel pair (c, c + 1) of one pixel; c is even, a missing second channel
// is 0. Whole bytes are written in channel order, so pad bits end up 0.
template <int kOut>
[[gnu::always_inline]] inline void store_pair(uint8_t* pixel, uint32_t c, uint32_t y0,
                                              uint32_t y1) {
  if constexpr (kOut == 4) {
    pixel[c / 2] = static_cast<uint8_t>(y0 | y1 << 4);
  } else {
    uint8_t* byte = pixel + c / 4;
    const uint32_t pair = y0 | y1 << 2;
    *byte = static_cast<uint8_t>(c & 2 ? *byte | pair << 4 : pair);
  }
}

}  // namespace mcusim::matmul
