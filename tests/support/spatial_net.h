// SPDX-License-Identifier: MIT
// Random small networks that tiles can compute: windows of every kind with uneven
// kernels, strides and paddings, pads, shortcuts, mixed widths, and a tail behind.
#pragma once

#include "tests/support/nets.h"

namespace mcusim::testing {

// One input; not placed. Accumulators stay inside the packer's bound.
IntNet random_spatial_net(Random& random);

}  // namespace mcusim::testing
