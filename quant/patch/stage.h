// SPDX-License-Identifier: MIT
// Where a network can be cut behind a stage of tiles: blocks, counted from the
// input.
//
// A block ends at a tensor that alone goes on (no shortcut is open across it). It
// holds at least one window wider than a cell or a stride above 1, and does not
// part a depthwise operator from the 1x1 convolution that reads it. So MobileNetV2
// has the stem as block 1 and its first four bottlenecks as blocks 2 to 5: the
// "first 5 blocks" of MCUNetV2 (Lin et al., arXiv 2110.15352, figure 1).
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim::patch {

struct Block {
  size_t op_count = 0;  // operators of the network up to and with this block
  int output = -1;      // the tensor that goes on
};

// Blocks that tiles can compute, in order: up to the first operator that needs its
// whole input (fully connected, reshape) or works on a view. May be empty.
std::vector<Block> blocks_of(const IntNet& net);

}  // namespace mcusim::patch
