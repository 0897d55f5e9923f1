// SPDX-License-Identifier: MIT
// The arithmetic of matrix layouts, shared by the kernels, the scratch sizes and
// the host's packer, so that the three cannot disagree.
//
// The K stream of an output pixel is the concatenation of its taps' packed pixels
// (whole bytes each, pad bits 0), in (ky, kx) order, padded to words with zeros;
// for fully connected it is the dense flattened input. Stream words are expanded
// into lane words of two int16 elements each. The lane words of a pixel are the steps
// of a core; weights follow their order.
// Freestanding.
#pragma once

#include <stdint.h>

#include "kernels/net_format.h"

namespace mcusim::matmul {

enum class Number : uint8_t { split8, split4, packed_a8w2, packed_w4, packed_a4w2 };

// What the packer and the sizes need to know of a core.
struct Form {
  Number number;
  uint8_t granule_steps;   // steps are a multiple of this
  uint8_t steps_per_word;  // of one weight word
  uint8_t zero_offset;     // subtracted from the stored weights of the odd channel
  uint8_t weight_bits;
  uint8_t field_bits;      // packed: distance of the two channels in a lane
  uint8_t rotations[4];    // packed: of the mask per step
};

inline constexpr Form kSplit8 = {Number::split8, 1, 1, 128, 8, 8, {0, 0, 0, 0}};
inline constexpr Form kSplit4 = {Number::split4, 2, 2, 0, 4, 4, {0, 0, 0, 0}};
inline constexpr Form kPackedA8W2 = {Number::packed_a8w2, 8, 4, 2, 2, 14, {0, 4, 8, 12}};
inline constexpr Form kPackedW4 = {Number::packed_w4, 8, 2, 8, 4, 12, {0, 8, 0, 0}};
inline constexpr Form kPackedA4W2 = {Number::packed_a4w2, 8, 4, 0, 2, 12, {0, 2, 8, 10}};

// The form of a layer's weights.
constexpr const Form& form_of(int in_bits, int weight_bits) {
  if (weight_bits == 8) return kSplit8;
  if (weight_bits == 4) return in_bits == 8 ? kSplit4 : kPackedW4;
  return in_bits == 8 ? kPackedA8W2 : kPackedA4W2;
}

// Largest number of steps a split accumulator carries exactly.
constexpr uint32_t chunk_steps(const Form& form, int in_bits) {
  if (form.number == Number::split8) return in_bits == 8 ? 128 : in_bits == 4 ? 2048 : 8192;
  return 16384;
}

inline constexpr uint32_t kFullyConnectedPairs = 4;  // channel pairs side by side
inline constexpr uint32_t kTail_bytes = 16;          // zero words a core reads ahead

// Sizes; T is uint32_t in kernels and uint64_t where shapes are not yet trusted.
template <typename T>
constexpr T stream_words(T taps, T channels, T in_bits) {
  return (taps * ((channels * in_bits + 7) / 8) + 3) / 4;
}
template <typename T>
constexpr T lane_steps(const Form& form, T words, T in_bits) {
  const T raw = words * (T{16} / in_bits);
  return (raw + form.granule_steps - 1) / form.granule_steps * form.granule_steps;
}
template <typename T>
constexpr T row_words(const Form& form, T steps) {
  return steps / form.steps_per_word;
}
template <typename T>
constexpr T padded_channels(T channels, bool fully_connected) {
  const T unit = fully_connected ? 2 * kFullyConnectedPairs : 2;
  return (channels + unit - 1) / unit * unit;
}
template <typename T>
constexpr T body_words(const Form& form, T steps, T channels, bool fully_connected) {
  return padded_channels(channels, fully_connected) / 2 * row_words(form, steps);
}

// Steps over which a packed lane keeps its two sums apart: the lower one, of two
// products a step, stays below 2^field_bits. Whole words of weights.
constexpr uint32_t flush_steps(const Form& form, int in_bits) {
  const uint32_t most = 2 * ((1u << in_bits) - 1) * ((1u << form.weight_bits) - 1);
  return ((1u << form.field_bits) - 1) / most / 8 * 8;
}

// Whether a layer of this form widens its weights (cores/wide.h).
constexpr bool widens(const Form& form) {
  return form.number == Number::split8 || form.number == Number::split4;
}

// A convolution's scratch: lanes of a block of groups, each with its record behind it
// (cores/core.h), a widened row, the K stream of one pixel. All pixels of a block are
// expanded first and then every channel pair runs over them, so weights are read once
// per block.
inline constexpr uint32_t kBlock_bytes = 32 * 1024;
inline constexpr uint32_t kWideTail_words = 2;  // read ahead of a widened row

template <typename T>
struct ConvPlan {
  T words, steps, group_words, block_groups;
  T wide_offset, stream_offset, bytes;
};

template <typename T>
constexpr ConvPlan<T> plan_conv(const Form& form, T taps, T channels, T in_bits, T pixels) {
  ConvPlan<T> plan{};
  plan.words = stream_words<T>(taps, channels, in_bits);
  plan.steps = lane_steps<T>(form, plan.words, in_bits);
  plan.group_words = 4 * plan.steps + (widens(form) ? 4 : 8);
  const T groups = (pixels + 3) / 4, room = kBlock_bytes / (4 * plan.group_words);
  const T most = room == 0 ? 1 : room;
  const T blocks = (groups + most - 1) / most;
  plan.block_groups = (groups + blocks - 1) / blocks;
  plan.wide_offset = plan.block_groups * 4 * plan.group_words + kTail_bytes;
  const T wide_bytes = widens(form) ? 8 * plan.steps + 4 * kWideTail_words : 0;
  // The stream ends with the scratch, so that the last planned byte is used.
  plan.bytes = (plan.wide_offset + wide_bytes + 4 * plan.words + 7) / 8 * 8;
  plan.stream_offset = plan.bytes - 4 * plan.words;
  return plan;
}

// Position of element e of a stream word among its lane words.
struct Slot {
  uint32_t step, part;  // part: half 0..1
};
constexpr Slot slot_of(uint32_t in_bits, uint32_t e) {
  const uint32_t per_byte = 8 / in_bits, byte = e / per_byte, split = e % per_byte;
  return {2 * split + (byte & 1), byte >> 1};
}

// Bit of a weight inside its word; `odd` selects the second channel of a pair.
constexpr uint32_t bit_of(const Form& form, uint32_t step, uint32_t part, uint32_t odd) {
  const uint32_t j = step % form.steps_per_word;
  switch (form.number) {
    case Number::split8: return 16 * part + 8 * odd;
    case Number::split4: return 16 * part + 8 * j + 4 * odd;
    default: return (16 * part + form.rotations[j] + form.field_bits * odd) % 32;
  }
}

}  // namespace mcusim::matmul
