// SPDX-License-Identifier: MIT
// What a report says about a network's operators and arena, from the container and
// the profile of a run.
#pragma once

#include <vector>

#include "kernels/host/container.h"
#include "kernels/host/int_net.h"
#include "sim/report/report.h"
#include "sim/run/profile.h"

namespace mcusim {

// One row per operator between a start-up row and a row for code between layers.
std::vector<report::Layer> layer_rows(const IntNet& net, const Container& container,
                                      const Profile& profile);

// Root tensors with their place and lifetime.
std::vector<report::ArenaSlot> arena_slots(const IntNet& net);

// The arena that the same network would be planned, had every tensor 8 bits.
uint64_t arena_bytes_8bit(const IntNet& net);

// The five largest elements of an output.
std::vector<report::Prediction> top_five(const IntTensor& tensor, const std::vector<uint8_t>& stored);

}  // namespace mcusim
