// SPDX-License-Identifier: MIT
// The common half of convolution and fully connected: channel records, the walk
// over K, and the loop over channel pairs for a group of four expanded pixels.
//
// Accumulators start at bias - Zw * S[p], S the pixel's element sum, so a
// per-channel zero point costs what a per-layer one costs. Freestanding.
#pragma once

#include "kernels/ops/cores/mla.h"
#include "kernels/ops/cores/packed.h"
#include "kernels/ops/cores/split.h"
#include "kernels/requant.h"

namespace mcusim::matmul {

// A layer as its inner loops see it; built once per call.
struct Layer {
  const net::Op* op;
  const uint8_t* file;
  const Word* weights;
  Word* lanes;         // in scratch
  Channel* channels;   // padded to an even count with a zero record
  uint8_t* stream;     // one pixel's K stream, when it must be gathered
  uint32_t co, words;  // output channels; stream words of a pixel
  Walk walk;
  uint32_t row_words;
  Stage stage;
};

// Four output pixels; missing ones repeat the last.
struct Group {
  uint32_t sum[4];
  uint8_t* out[4];
};

template <net::Contract kContract>
[[gnu::noinline]] void make_channels(const Layer& layer, uint32_t first, uint32_t count,
                                     int32_t odd_offset) {
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t c = first + i;
    layer.channels[i] =
        c < layer.co ? make_channel<kContract>(*layer.op, layer.file, c, c & 1 ? odd_offset : 0)
                     : Channel{0, 0, 0, 0};
  }
}

inline constexpr uint32_t kRecord_bytes = sizeof(Channel);

// kPixels lane words per step.
template <int kPixels>
inline Walk make_walk(const Form& form, const Word* lanes, uint32_t steps, uint32_t in_bits) {
  const uint32_t chunk = chunk_steps(form, static_cast<int>(in_bits));
  const uint32_t first = (steps - 1) % chunk + 1, skip = (0u - first) & 7;
  return {steps,
          first,
          chunk,
          4 * kPixels * chunk,
          lanes,
          lanes - static_cast<int32_t>(kPixels * skip),
          lanes + kPixels * first,
          lanes + kPixels * steps,
          skip * step_code_bytes(form)};
}

// Zeroes the lane words behind the stream and those a core reads ahead; they stay
// so, since expansion ends before them.
template <int kPixels>
[[gnu::noinline]] void clear_tail(const Form& form, const Layer& layer, uint32_t in_bits) {
  const uint32_t raw = layer.words * (form.bytes ? 4 : 16 / in_bits);
  const uint32_t end = kPixels * layer.walk.steps + kTail_bytes / 4;
  for (uint32_t i = kPixels * raw; i < end; ++i) layer.lanes[i] = 0;
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

// All output channels of one group. What the loop needs is copied into the frame:
// a core leaves no register over, so everything is reloaded once per pair. The one
// index runs up to 0.
template <class Core, int kOut, net::Contract kContract>
[[gnu::noinline]] void run_group(const Layer& layer, const Group& group) {
  const uint32_t sum[4] = {group.sum[0], group.sum[1], group.sum[2], group.sum[3]};
  const uint32_t out_bytes = kOut == 8 ? layer.co : 0;
  uint8_t* const out[4] = {group.out[0] + out_bytes, group.out[1] + out_bytes,
                           group.out[2] + out_bytes, group.out[3] + out_bytes};
  const Walk walk = layer.walk;
  const Stage stage = layer.stage;
  const Channel* const channels_end = layer.channels + layer.co;
  const Word* weights = layer.weights;
  Spill spill;
  spill.lanes[0] = walk.lanes[0];
  spill.lanes[1] = walk.lanes[1];
  spill.last = walk.end;
  spill.chunk_bytes = walk.chunk_bytes;
  spill.mask = kMlaMask;
  int32_t i = -static_cast<int32_t>(layer.co);
  do {
    const Channel* const ch = channels_end + i;
    const auto first = [&](int odd, int p) {
      return ch[odd].bias - static_cast<uint32_t>(ch[odd].zero_point) * sum[p];
    };
    uint32_t c0[4], c1[4], y0[4], y1[4] = {0, 0, 0, 0};
    Core::run(weights, walk, spill, first, c0, c1);
    const uint32_t c = layer.co + static_cast<uint32_t>(i);
    requantise<kContract, kOut, 4>(c0, ch[0], stage, thresholds_for<kContract, kOut>(layer, c), y0);
    const bool both = i != -1;
    if (both) {
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) c1[p] = Core::second(spill, p, c1[p]);
      requantise<kContract, kOut, 4>(c1, ch[1], stage,
                                     thresholds_for<kContract, kOut>(layer, c + 1), y1);
    }
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      if constexpr (kOut < 8)
        store_pair<kOut>(out[p], c, y0[p], y1[p]);
      else if (both)
        simd::store_any_half(out[p] + i, y0[p] | y1[p] << 8);
      else
        out[p][i] = static_cast<uint8_t>(y0[p]);
    }
    i += 2;
  } while (i < 0);
}

// What a row hands to the shared front of its family.
struct Back {
  const Form* form;
  void (*make_channels)(const Layer&, uint32_t first, uint32_t count, int32_t odd_offset);
  void (*run_group)(const Layer&, const Group&);
};

template <int kIn, int kWeight>
constexpr auto core_of() {
  if constexpr (kWeight == 8) return Split<kSplit8>{};
  else if constexpr (kWeight == 4 && kIn == 8) return Split<kSplit4>{};
  else if constexpr (kWeight == 4) return Packed<kPackedW4>{};
  else if constexpr (kIn == 8) return Packed<kPackedA8W2>{};
  else if constexpr (kIn == 4) return Packed<kPackedA4W2>{};
  else return Mla{};
}

}  // namespace mcusim::matmul
