// SPDX-License-Identifier: MIT
// A float graph as an ONNX model (opset 13, N,C,H,W, batch norm unfolded), the
// reverse of quant/import/onnx.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/graph/graph.h"

namespace mcusim::import {

std::vector<uint8_t> format_onnx(const graph::Graph& graph);  // throws Error without weights

}  // namespace mcusim::import
