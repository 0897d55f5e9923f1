// SPDX-License-Identifier: MIT
// Arena placement of a network: lifetimes from its operator list, offsets from
// memmap/arena. A view lives in its root's bytes; inputs live from the first
// operator, outputs to the last.
#pragma once

#include "kernels/host/int_net.h"

namespace mcusim {

// Sets arena_offset of every tensor without a parent, and net.arena_bytes.
void place_tensors(IntNet& net);

}  // namespace mcusim
