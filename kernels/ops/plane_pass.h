// SPDX-License-Identifier: MIT
// What one pass of a blocked depthwise form is told: which channels of a tile, from
// which ring of planes, to which output rows. The layout is known to the assembly of
// depthwise_passes_arm.h. Freestanding.
#pragma once

#include <stdint.h>

namespace mcusim::ops {

// All words; the target's loops read it by offset.
struct PlanePass {
  uintptr_t row_bytes;      // to the lower output row; 0 writes only one row, the upper
  uintptr_t column_bytes;   // to the next output column
  const uint32_t* record;   // of the first channel
  const uint32_t* plane;
  uint8_t* out;             // first column of the upper row
  uintptr_t even_bytes;     // plane bytes of the output columns that whole steps cover
  uintptr_t plane_bytes;    // from channel to channel
  uintptr_t channel_bytes;  // in the output, from channel to channel
  uintptr_t odd;            // 1 when a last column is left
  const uint32_t* records_end;
};

// Records lie one behind the other: bias, multiplier, addend, shift, weights.
inline constexpr uint32_t kRecord_words_3x3_stride1 = 10;
inline constexpr uint32_t kRecord_words_3x3_stride2 = 9;
inline constexpr uint32_t kRecord_words_5x5 = 24;

}  // namespace mcusim::ops
