// SPDX-License-Identifier: MIT
// TensorFlow Lite int8 networks as integer networks under the `tflite` contract,
// bit for bit. Stored values are int8 + 128, so a stored zero point is 128 more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"

namespace mcusim {

struct ImportedNet {
  IntNet net;                      // arena not placed
  std::vector<std::string> notes;  // what the reader should know: dropped softmax, folded pads
};

// `name` stands for the file in messages. Throws one Error that names every
// operator that cannot be imported, with its number and reason.
ImportedNet import_tflite(std::vector<uint8_t> file, const std::string& name);

}  // namespace mcusim
