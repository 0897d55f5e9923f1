// SPDX-License-Identifier: MIT
// A float network as the user names it: a file, or one of the zoo.
#pragma once

#include <string>

#include "quant/graph/graph.h"

namespace mcusim::net_cli {

// `model.onnx`, `model.tflite`, or NAME_RESOLUTION_WIDTH of the zoo (mobilenet_v1_224_0.75), which
// has a structure but no weights. Throws Error.
graph::Graph load_float_model(const std::string& text);

// Whether the file is a network that computes in float.
bool is_float_model(const std::string& path);

}  // namespace mcusim::net_cli
