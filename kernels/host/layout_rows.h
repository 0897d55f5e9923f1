// SPDX-License-Identifier: MIT
// The functions behind the rows of the layout table that have a file of their
// own; each triple is described by its tag in net_format.h and its .cc.
#pragma once

#include "kernels/host/layouts.h"

namespace mcusim {

namespace depthwise_groups {
uint64_t blob_bytes(const WeightShape& s);
std::vector<uint8_t> pack(const WeightShape& s, std::span<const uint8_t> natural);
std::vector<uint8_t> unpack(const WeightShape& s, std::span<const uint8_t> blob);
}  // namespace depthwise_groups

}  // namespace mcusim
