// SPDX-License-Identifier: MIT
// Value-driven quantisation search (QuantMCU: Tao et al., arXiv 2401.13714): a width
// for every feature map by
//   S(i, b) = -lambda * Omega(i, b) + (1 - lambda) * Phi(i, b)
// without training. The abstract's terms, with normalisations of our own:
//   Omega(i, b) = 2^(-2 H(i, b)) - 2^(-2 H(i, 8)), H the entropy in bits of the map's
//                 stored values, b-bit ones under the format of least squared error:
//                 the change of entropy power (Shannon 1948), which grows fourfold with
//                 each bit lost, as quantisation noise does;
//   Phi(i, b)   = (1 - b / 8) * BitOPs of the layers that read map i / the most that
//                 any map's layers have, both at 8 bits.
// BitOPs = multiply-accumulates * weight bits * input bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "quant/patch/vdpc.h"

namespace mcusim::patch {

struct VdqsOptions {
  std::optional<double> lambda;  // 0..1; else the largest that reaches the reduction
  double reduction = 2;          // of all BitOPs against 8-bit maps
  uint64_t ram_bytes = 0;        // of the placed arena; 0: any
  uint8_t least_bits = 2;
};

struct Assignment {
  std::vector<Format> formats;   // per tensor of the patched network
  double lambda = 0;
  uint64_t bitops_8 = 0, bitops = 0;              // the whole network
  uint64_t stage_bitops_8 = 0, stage_bitops = 0;  // its tiles
};

uint64_t bitops(const IntNet& net, size_t first_op, size_t last_op);

// Maps of outlier tiles, of the network's inputs and outputs, and, while any tile is
// an outlier, of the stage's output keep 8 bits. Throws Error when the reduction or
// the RAM cannot be reached.
Assignment assign(const Patched& patched, const Observed& observed,
                  const std::vector<PatchClass>& classes, const VdqsOptions& options);

}  // namespace mcusim::patch
