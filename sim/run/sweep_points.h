// SPDX-License-Identifier: MIT
// The matrix of a sweep: boards x clocks x placements x caches, as single points.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memmap/board.h"
#include "sim/image/image.h"

namespace mcusim {

struct SweepMatrix {
  std::vector<std::string> boards;     // names or files
  std::vector<std::string> clocks_mhz; // numbers or "all"; empty: each board's first preset
  // "code=flash:itcm,arena=AXI_SRAM:DTCM": a matrix of its own in the syntax of --place,
  // with alternatives behind ':'. Empty: each board's own places.
  std::vector<std::string> places;
  std::vector<bool> caches;            // empty: on
};

struct SweepPoint {
  std::string board_name;              // as asked for
  uint64_t core_hz = 0;
  std::string place;                   // as asked for, one alternative each
  bool caches = true;
  // Region names after the board's own were filled in.
  std::string code, weights, arena, scratch;
  std::string problem;                 // not empty: this board has no such clock or region

  std::string label() const;           // file name without suffix
};

// Every combination once, the last of boards, clocks, places, caches varying fastest.
// What one board lacks and another has is a point with a problem. Throws UsageError for
// what no board has or nobody could mean.
std::vector<SweepPoint> sweep_points(const SweepMatrix& matrix);

// Image options of a point without a problem.
ImageOptions image_options(const Board& board, const SweepPoint& point);

}  // namespace mcusim
