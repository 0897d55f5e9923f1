// SPDX-License-Identifier: MIT
// The networks of the benchmarks: those of the zoo, and those of MCUSIM_DATA where
// that is set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim::bench {

struct Network {
  std::string name;
  std::vector<std::string> make;    // arguments of mcusim-net before `-o net.bin`
  std::vector<std::string> layers;  // names in operator order
};

// Networks of the zoo know their layers without being made; those of MCUSIM_DATA are
// converted here. Throws Error.
std::vector<Network> networks();

// The container; made by the sibling program mcusim-net. Throws Error.
std::vector<uint8_t> make_container(const Network& network);

}  // namespace mcusim::bench
