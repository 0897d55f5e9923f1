// SPDX-License-Identifier: MIT
// Patch-based execution as a rewriting of the integer network: the operators of a
// stage appear once per tile, on views of the stage's input and output
// (docs/patches.md). The container, the executor and the kernels know nothing of it.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/host/int_net.h"

namespace mcusim::patch {

struct Choice {
  uint32_t rows = 0, columns = 0;  // tiles of the stage's output
  uint32_t blocks = 0;             // of blocks_of()

  bool operator==(const Choice&) const = default;
};

// "4x4@5": rows x columns @ blocks. Throws Error for anything else.
Choice parse_choice(const std::string& text);
std::string format_choice(const Choice& choice);

// What patched() made: the first tile_ops operators belong to the tiles.
struct Patched {
  IntNet net;               // not placed
  size_t stage_ops = 0;     // operators of the stage in the original network
  size_t tile_ops = 0;
  int stage_output = -1;    // tensor of `net`: the stage's output at its full size
  std::vector<int> tile_of;  // per operator of `net`: its tile, row by row, or -1
};

// Equal to `net` byte for byte in all outputs. Throws Error naming the block or the
// tensor when the choice does not exist.
Patched patched(const IntNet& net, const Choice& choice);

}  // namespace mcusim::patch
