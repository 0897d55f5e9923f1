// SPDX-License-Identifier: MIT
// Every output channel of a block of expanded pixels: channel pair by channel pair,
// each over all groups, so that weights leave flash once per block. Freestanding.
#pragma once

#include "kernels/ops/cores/finish.h"
#include "kernels/ops/matmul.h"

namespace mcusim::matmul {

// The core of a combination of widths.
template <int kIn, int kWeight>
constexpr auto core_of() {
  if constexpr (widens(form_of(kIn, kWeight))) return Wide{};
  else if constexpr (kWeight == 4) return Packed<kPackedW4, flush_steps(kPackedW4, kIn)>{};
  else if constexpr (kIn == 8) return Packed<kPackedA8W2, flush_steps(kPackedA8W2, kIn)>{};
  else return Packed<kPackedA4W2, flush_steps(kPackedA4W2, kIn)>{};
}
template <int kIn, int kWeight>
constexpr Widen widen_of() {
  if constexpr (!widens(form_of(kIn, kWeight))) return nullptr;
  else if constexpr (kWeight == 8) return widen<kSplit8>;
  else return widen<kSplit4>;
}

// What a row hands to the front it shares with others. What rows differ in little is
// found through here at run time, so that an image holds it once.
struct Block;
struct Window;
struct Corner {  // top left input cell of a window; may lie in the padding
  int32_t y, x;
};
struct Back {
  uint32_t in_bits;
  const Form* form;
  Widen widen;  // where the form does
  void (*expand_pixel)(const Window&, Corner, Word* lanes, Word* sum);
  void (*expand_group)(const Window&, const uint8_t* from, uint32_t step, Word* lanes,
                       Word* sums);
  void (*run_block)(const Layer&, const Block&);
};

struct Block {
  Walk walk;
  const Word* threes; // groups from here on hold three pixels and the last again
  const Word* end;    // of the last group
  Word* wide;         // a widened row
  uint8_t* arena;
  uint64_t most_sum;  // at least the sum of a pixel's activations
  const Back* back;
};

// A group's sums under parameters that `finish` does not take. Small where `finish`
// takes most of them.
template <int kOut, net::Contract kContract>
[[gnu::noinline]] void finish_general(const Layer& layer, const Channel (&ch)[2], uint32_t c,
                                      const Sums& s, const Word* record, uint8_t* arena) {
  const bool both = c + 1 < layer.co;
  const auto store = [&](int p, uint32_t y0, uint32_t y1) {
    uint8_t* const pixel = arena + record[p];
    if constexpr (kOut < 8) {
      store_pair<kOut>(pixel, c, y0, y1);
    } else {
      pixel[c] = static_cast<uint8_t>(y0);
      if (both) pixel[c + 1] = static_cast<uint8_t>(y1);
    }
  };
  if constexpr (kFuses<kContract, kOut>) {
#pragma GCC unroll 1
    for (int p = 0; p < 4; ++p) {
      const uint32_t y0 = requantise_any<kContract, kOut>(s.c0[p], ch[0], layer.stage);
      store(p, y0, both ? requantise_any<kContract, kOut>(s.c1[p], ch[1], layer.stage) : 0);
    }
  } else {
    uint32_t y0[4], y1[4] = {0, 0, 0, 0};
    requantise<kContract, kOut, 4>(s.c0, ch[0], layer.stage,
                                   thresholds_for<kContract, kOut>(layer, c), y0);
    if (both)
      requantise<kContract, kOut, 4>(s.c1, ch[1], layer.stage,
                                     thresholds_for<kContract, kOut>(layer, c + 1), y1);
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) store(p, y0[p], y1[p]);
  }
}

// Largest |sum| of a channel without its bias: all activations at the farthest weight.
inline uint64_t reach_of(const Form& form, const Channel& ch, bool odd, uint64_t most_sum) {
  const int64_t zero = ch.zero_point + (odd ? form.zero_offset : 0);
  const int64_t above = (1 << form.weight_bits) - 1 - zero;
  return static_cast<uint64_t>(zero > above ? zero : above) * most_sum;
}

// The block's pixels of a pair whose channels are both constant.
template <int kOut>
[[gnu::noinline]] void fill_pair(const Word* record, const Word* end, uint32_t group_words,
                                 const PairScale& scale, uint8_t* to) {
  const uint32_t y = static_cast<uint32_t>(scale.add[0] >> scale.shift[0]) |
                     static_cast<uint32_t>(scale.add[1] >> scale.shift[1]) << kOut;
  for (; record < end; record += group_words)
    for (int p = 0; p < 4; ++p) {
      if constexpr (kOut == 8)
        simd::store_any_half(to + record[p], y);
      else
        to[record[p]] = static_cast<uint8_t>(y);
    }
}

template <class Core, int kOut, net::Contract kContract>
[[gnu::noinline]] void run_pair(const Layer& layer, const Block& block, uint32_t c) {
  const Form& form = *block.back->form;
  constexpr bool kMayFuse = kFuses<kContract, kOut>;
  Channel ch[2];
  make_channels<kContract>(layer, c, 2, form.zero_offset, ch);
  uint8_t* const arena = block.arena;
  [[maybe_unused]] uint8_t* const to = arena + c * kOut / 8;
  const Walk walk = block.walk;
  const Word *lanes = layer.lanes, *const end = block.end;
  PairScale scale;
  scale.fused = false;
  if constexpr (kMayFuse) {
    if (c + 1 < layer.co) {
      const uint64_t reach[2] = {reach_of(form, ch[0], false, block.most_sum),
                                 reach_of(form, ch[1], true, block.most_sum)};
      scale = make_scale<kContract, kOut>(ch, reach, layer.stage);
      if (scale.constant[0] && scale.constant[1])
        return fill_pair<kOut>(lanes + walk.lane_words, end, walk.group_words, scale, to);
    }
  }
  const Word* weights = layer.weights + c / 2 * layer.row_words;
  if constexpr (Core::kWidens) {
    block.back->widen(weights, walk.steps, ch, block.wide);
    weights = block.wide;
  }
  if constexpr (kMayFuse && Core::kWidens) {
    for (uint32_t odd = 0; odd < 2; ++odd)
      if (scale.fused && scale.constant[odd]) {
        silence(block.wide, walk.steps, odd);
        ch[odd].bias = 0;
      }
  }
#if defined(MCUSIM_ASM_CORES)
  if constexpr (kMayFuse && Core::kWidens) {
    if (scale.fused)
      return Core::template run_fused<kContract, kOut>(weights, lanes, block.threes, end, walk, ch,
                                                      scale, to);
  }
  constexpr bool kFinishes = kMayFuse && !Core::kWidens;
#else
  constexpr bool kFinishes = kMayFuse;
#endif
  for (; lanes != end; lanes += walk.group_words) {
    const Word* const record = lanes + walk.lane_words;
    Sums s;
    Core::run(s, weights, lanes, walk, ch);
    if constexpr (kFinishes) {
      if (scale.fused) {
        finish<kContract, kOut>(s, scale, record, to);
        continue;
      }
    }
    const Sums kept = s;
    finish_general<kOut, kContract>(layer, ch, c, kept, record, arena);
  }
}

template <class Core, int kOut, net::Contract kContract>
[[gnu::noinline]] void run_block(const Layer& layer, const Block& block) {
  for (uint32_t c = 0; c < layer.co; c += 2) run_pair<Core, kOut, kContract>(layer, block, c);
}

}  // namespace mcusim::matmul
