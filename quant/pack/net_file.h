// SPDX-License-Identifier: MIT
// Any file that holds an integer network, told apart by its first bytes:
// net.bin, net.json, model.tflite. One row per format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim {

struct NetFile {
  IntNet net;                      // placed
  std::vector<uint8_t> container;  // validated
  std::vector<std::string> notes;  // what the importer wants known
};

NetFile load_net_file(const std::string& path);  // throws Error

}  // namespace mcusim
