// SPDX-License-Identifier: MIT
// Phi of a whole operator at once, fast enough to calibrate MobileNetV1 224_1.0
// layer by layer in seconds: what a network's numbers do before requantisation.
// Judged against the naive twin; never part of an inference.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim::quantise {

// sum (X - Zx)(W - Zw) for every output element, [h][w][c]; cells in the padding
// contribute 0. conv2d, depthwise, fully_connected, and avg_pool (weights 1).
// Accumulators wrap modulo 2^32: the packer's bound keeps them exact.
std::vector<int32_t> accumulate(const IntNet& net, const IntOp& op,
                                const std::vector<uint8_t>& in);

// The whole operator under icn-floor; `in1` is read by add alone.
std::vector<uint8_t> run_icn(const IntNet& net, const IntOp& op, const std::vector<uint8_t>& in,
                             const std::vector<uint8_t>& in1 = {});

// All tensors of the network for one input (no views).
std::vector<std::vector<uint8_t>> run_icn(const IntNet& net, const std::vector<uint8_t>& input);

}  // namespace mcusim::quantise
