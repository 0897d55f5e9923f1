// SPDX-License-Identifier: MIT
// TensorFlow Lite float networks to the float graph: weights in float32, float16 or
// int8 (weights alone quantised); axes are the graph's own (height, width, channels).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace mcusim::import {

// Whether the network computes in float; Error for bytes that are no model.
bool is_float_tflite(std::vector<uint8_t> file, const std::string& name);

// `name` stands for the file in messages. Throws one Error that names every operator
// that cannot be imported, with its number and reason.
graph::Graph import_float_tflite(std::vector<uint8_t> file, const std::string& name);

}  // namespace mcusim::import
