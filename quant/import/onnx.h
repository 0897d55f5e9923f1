// SPDX-License-Identifier: MIT
// ONNX float networks, opsets 11 to 17, to the float graph. Reshapes that only
// rename axes vanish; element-wise constants become affine nodes or biases.
// Everything unsupported is listed in one error, with node names.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "quant/graph/graph.h"
#include "quant/import/onnx_model.h"

namespace mcusim::import {

graph::Graph read_onnx(const std::string& path);
// `folder`: where external tensor data may lie.
graph::Graph parse_onnx(std::span<const uint8_t> bytes, const std::string& name,
                        const std::string& folder);
// `name` is what messages call the model.
graph::Graph import_model(onnx_file::Model model, const std::string& name);

}  // namespace mcusim::import
