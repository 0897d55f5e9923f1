// SPDX-License-Identifier: MIT
// What a container takes as a flashed image: `mcusim image` links it and says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim::net_cli {

struct ImageSize {
  uint64_t container_bytes = 0;
  uint64_t image_bytes = 0;  // container and program; 0: see `unknown`
  std::string unknown;       // why no image could be linked
};

// Throws Error only when temporary files cannot be written.
ImageSize image_size(const std::vector<uint8_t>& container, const std::string& board);

}  // namespace mcusim::net_cli
