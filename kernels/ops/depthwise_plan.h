// SPDX-License-Identifier: MIT
// How a depthwise layer is cut up: which form runs it, how many channels share a
// tile and where their data lie in scratch. One function, used by the kernel and
// by scratch_bytes alike.
//
// Scratch of a tile: the planes (per channel and column one word for each row pair
// in the ring), the channel records, and for outputs below 8 bits the lines where
// a group's values wait to be packed. Freestanding.
#pragma once

#include "kernels/kernel_api.h"
#include "kernels/ops/elements.h"
#include "kernels/ops/plane_pass.h"

namespace mcusim::ops {

enum class DepthwiseForm : uint8_t {
  general,        // any kernel, four channels at a time, no scratch
  three_stride1,  // 3x3: two output rows at once
  three_stride2,  // 3x3: one output row
  five_stride1,   // 5x5: two output rows at once
  five_stride2,   // 5x5: one output row
};

struct DepthwisePlan {
  DepthwiseForm form = DepthwiseForm::general;
  bool transposed = false;      // rows and columns of the images change places
  uint32_t ring = 0;            // row pairs alive at once: words per plane column
  uint32_t rows = 0;            // output rows per pass
  uint32_t stride = 0;
  uint32_t tile_channels = 0;   // multiple of four
  uint32_t plane_columns = 0;
  uint32_t record_words = 0;
  uint32_t line_columns = 0;    // output columns, rounded up to whole words of bytes
  uint32_t records_offset = 0, lines_offset = 0, sums_offset = 0, bytes = 0;
};

// A record starts with bias, multiplier, addend and shift; weight words follow.
inline constexpr uint32_t kRecordHeader_words = 4;
inline constexpr uint32_t kDepthwiseScratch_bytes = 48 * 1024;
// Larger images run in the general form; keeps every product in 32 bits.
inline constexpr uint32_t kMaxOutputs = 2048;

inline DepthwiseForm depthwise_form(const net::Op& op) {
  if (op.kernel_h != op.kernel_w || op.stride_h != op.stride_w) return DepthwiseForm::general;
  if (op.kernel_h == 3 && op.stride_h == 1) return DepthwiseForm::three_stride1;
  if (op.kernel_h == 3 && op.stride_h == 2) return DepthwiseForm::three_stride2;
  if (op.kernel_h == 5 && op.stride_h == 1) return DepthwiseForm::five_stride1;
  if (op.kernel_h == 5 && op.stride_h == 2) return DepthwiseForm::five_stride2;
  return DepthwiseForm::general;
}

// Instructions of a channel's passes, roughly: steps of two columns, and a set-up
// and conversion share per pass.
inline uint32_t pass_cost(uint32_t height, uint32_t width, uint32_t rows) {
  constexpr uint32_t kStep = 60, kSetup = 40;
  return (height + rows - 1) / rows * ((width + 1) / 2 * kStep + kSetup);
}

inline DepthwisePlan plan_depthwise(const net::Op& op, const net::Tensor& out) {
  DepthwisePlan plan;
  plan.form = depthwise_form(op);
  if (plan.form == DepthwiseForm::general || out.h > kMaxOutputs || out.w > kMaxOutputs) return {};
  const bool five = op.kernel_h == 5;
  plan.ring = five ? 3 : 2;
  plan.rows = op.stride_h == 2 ? 1 : 2;
  plan.stride = op.stride_h;
  plan.record_words = five             ? kRecord_words_5x5
                      : plan.rows == 2 ? kRecord_words_3x3_stride1
                                       : kRecord_words_3x3_stride2;
  // A step needs two columns. Long thin images run along their longer side.
  plan.transposed = out.w < 2 || (out.h >= 2 && pass_cost(out.w, out.h, plan.rows) <
                                                    pass_cost(out.h, out.w, plan.rows));
  const uint32_t columns = plan.transposed ? out.h : out.w;
  if (columns < 2) return {};
  plan.plane_columns = (columns - 1) * op.stride_w + op.kernel_w;
  plan.line_columns = (columns + 3) / 4 * 4;
  const bool lines = out.bits != 8;
  const bool sums = op.contract == static_cast<uint8_t>(net::Contract::thresholds);
  const uint32_t line_bytes = lines ? kGroup * plan.rows * plan.line_columns : 0;
  const uint32_t sum_bytes = sums ? plan.rows * plan.line_columns * 4 : 0;
  const uint32_t channel_bytes = (plan.plane_columns * plan.ring + plan.record_words) * 4;
  const uint32_t room = kDepthwiseScratch_bytes - min_u32(kDepthwiseScratch_bytes,
                                                          line_bytes + sum_bytes);
  const uint32_t most = room / channel_bytes / kGroup * kGroup;
  if (most == 0) return {};
  const uint32_t channels = (out.c + kGroup - 1) / kGroup * kGroup;
  const uint32_t tiles = (channels + most - 1) / most;
  plan.tile_channels = ((channels + tiles - 1) / tiles + kGroup - 1) / kGroup * kGroup;
  plan.records_offset = plan.tile_channels * plan.plane_columns * plan.ring * 4;
  plan.lines_offset = plan.records_offset + plan.tile_channels * plan.record_words * 4;
  plan.sums_offset = plan.lines_offset + line_bytes;
  plan.bytes = plan.sums_offset + sum_bytes;
  return plan;
}

}  // namespace mcusim::ops
