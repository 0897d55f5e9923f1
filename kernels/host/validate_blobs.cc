// SPDX-License-Identifier: MIT
// Parameter blobs: every byte of the blob area belongs to a blob or is zero
// padding of less than 8 bytes between two. Operators may share a blob (the tiles
// of one layer do), but two blobs never overlap in part.
#include <algorithm>
#include <limits>
#include <map>

#include "kernels/host/names.h"
#include "kernels/host/validate.h"

namespace mcusim {
namespace {

using net::Op;

// End of each blob by its start.
using Ranges = std::map<uint64_t, uint64_t>;

void collect(const Container& c, size_t index, Ranges& ranges) {
  const Op& op = c.ops[index];
  const uint64_t first = c.header.blobs_offset, end = first + c.header.blobs_bytes;
  for (const BlobRef& blob : blobs_of(op, c.tensors[op.out], op.weights_bytes)) {
    const uint64_t at = op.*blob.offset;
    if (!blob.required) {
      if (at != 0)
        throw Error("{}: {}_offset: {} is unused but not 0", place_of_op(c, index), blob.name, at);
      continue;
    }
    if (at % net::kBlobAlign_bytes != 0 || at < first || at > end || blob.bytes > end - at)
      throw Error("{}: {}_offset: {} bytes at {} are not an aligned range of the blobs {}..{}",
                  place_of_op(c, index), blob.name, blob.bytes, at, first, end);
    const auto [known, is_new] = ranges.emplace(at, at + blob.bytes);
    if (!is_new && known->second != at + blob.bytes)
      throw Error("{}: {}_offset: the blob at {} is shared with another size", place_of_op(c, index),
                  blob.name, at);
  }
}

void check_cover(const Container& c, const Ranges& ranges) {
  uint64_t end = c.header.blobs_offset;
  for (const auto& [first, last] : ranges) {
    if (first < end) throw Error("net.bin: blobs: two of them overlap at {}", first);
    if (first != align_up(end, net::kBlobAlign_bytes))
      throw Error("net.bin: blobs: bytes {}..{} belong to no operator", end, first);
    for (const uint8_t byte : c.bytes.range(end, first - end))
      if (byte != 0) throw Error("net.bin: blobs: padding at {} is not 0", end);
    end = last;
  }
  if (end != c.header.blobs_offset + uint64_t{c.header.blobs_bytes})
    throw Error("net.bin: blobs: bytes from {} belong to no operator", end);
}

// Pad bits, pad rows and tail bytes: packing what was unpacked must give the blob.
void check_weight_bytes(const Container& c, size_t index) {
  const Op& op = c.ops[index];
  const WeightShape shape = weight_shape(op, c.tensors[op.in0], c.tensors[op.out]);
  const LayoutRow& row = layout_row(layout_for(shape));
  const auto blob = c.bytes.range(op.weights_offset, op.weights_bytes);
  if (!std::ranges::equal(row.pack(shape, row.unpack(shape, blob)), blob))
    throw Error("{}: weights: padding or tail of layout {} is not 0", place_of_op(c, index), row.name);
}

void check_factors(const Container& c, size_t index) {
  const Op& op = c.ops[index];
  if (static_cast<net::Contract>(op.contract) != net::Contract::tflite) return;
  const uint32_t count = op.flags & net::kOpPerChannelMult ? c.tensors[op.out].c : 1;
  for (uint32_t i = 0; i < count; ++i) {
    const auto mult = c.bytes.at<int32_t>(op.mult_offset + 4ull * i);
    const int shift = c.bytes.at<int8_t>(op.shift_offset + uint64_t{i});
    if (mult < 0 || shift < kMinTfliteShift || shift > kMaxTfliteShift)
      throw Error("{}: channel {}: multiplier {}, shift {}", place_of_op(c, index), i, mult, shift);
  }
}

void check_zero_points(const Container& c, size_t index) {
  const Op& op = c.ops[index];
  if (!(op.flags & net::kOpPerChannelZeroPoint)) return;
  for (uint32_t i = 0; i < c.tensors[op.out].c; ++i) {
    const int value = c.bytes.at<int16_t>(op.zero_points_offset + 2ull * i);
    if (std::abs(value) > kMaxWeightZeroPoint)
      throw Error("{}: channel {}: weight zero point {}", place_of_op(c, index), i, value);
  }
}

// Kernels may search the list, so it must be sorted in the direction's order.
void check_thresholds(const Container& c, size_t index) {
  const Op& op = c.ops[index];
  if (static_cast<net::Contract>(op.contract) != net::Contract::thresholds) return;
  const net::Tensor& out = c.tensors[op.out];
  const uint32_t count = (1u << out.bits) - 1;
  for (uint32_t i = 0; i < out.c; ++i) {
    const auto direction = c.bytes.at<uint8_t>(op.directions_offset + uint64_t{i});
    if (direction > 1)
      throw Error("{}: channel {}: direction {}", place_of_op(c, index), i, direction);
    for (uint32_t k = 1; k < count; ++k) {
      const uint64_t at = op.thresholds_offset + 4ull * (uint64_t{i} * count + k);
      const auto before = c.bytes.at<int32_t>(at - 4), here = c.bytes.at<int32_t>(at);
      if (direction ? here < before : here > before)
        throw Error("{}: channel {}: threshold {}: {} after {} is out of order",
                    place_of_op(c, index), i, k, here, before);
    }
  }
}

}  // namespace

void check_blobs(const Container& c) {
  Ranges ranges;
  for (size_t i = 0; i < c.ops.size(); ++i) collect(c, i, ranges);
  check_cover(c, ranges);
  for (size_t i = 0; i < c.ops.size(); ++i) {
    if (!find_kind(static_cast<net::OpKind>(c.ops[i].kind))->has_weights) continue;
    check_weight_bytes(c, i);
    check_factors(c, i);
    check_zero_points(c, i);
    check_thresholds(c, i);
  }
}

}  // namespace mcusim
