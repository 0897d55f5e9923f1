// SPDX-License-Identifier: MIT
// What a command runs: a network from a file, and what it is fed, samples of a file or
// one made input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim::cli {

// The container of net.bin or of a model file, which is converted; nothing when the
// file is neither and thus firmware. Throws Error.
std::optional<std::vector<uint8_t>> load_network(const std::string& path);

// Stored values of every network input for each sample, and how to name it.
struct Feed {
  std::vector<std::vector<std::vector<uint8_t>>> samples;
  std::string name;
};

// `input` is FILE[:array][first:last] (.npy, .npz) or stored bytes (.raw, .bin); empty:
// made from `seed`. Throws Error.
Feed make_feed(const IntNet& net, const std::string& input, uint64_t seed);

}  // namespace mcusim::cli
