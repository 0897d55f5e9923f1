// SPDX-License-Identifier: MIT
// Arena placement of a network: lifetimes from its operator list, offsets from
// memmap/arena. A view lives in its root's bytes; inputs live from the first
// operator, outputs to the last.
#pragma once

#include "kernels/host/int_net.h"
#include "memmap/arena.h"

namespace mcusim {

// Size and lifetime of every root tensor, by tensor id; views have no bytes of their own.
std::vector<Buffer> lifetimes(const IntNet& net);

// Sets arena_offset of every tensor without a parent, and net.arena_bytes.
void place_tensors(IntNet& net);

}  // namespace mcusim
