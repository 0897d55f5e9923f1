// SPDX-License-Identifier: MIT
// Quantised ONNX networks (QDQ, QCDQ, QONNX Quant) as integer networks. Layers of
// 8 bits throughout run under the `tflite` contract, all others under icn-floor
// with the half step; rounding may differ from the exporter's by one step.
#pragma once

#include <string>

#include "quant/import/onnx_model.h"
#include "quant/import/tflite.h"

namespace mcusim::import {

// `name` stands for the file in messages. Throws Error naming every layer that
// cannot be imported.
ImportedNet import_qdq(onnx_file::Model model, const std::string& name);

}  // namespace mcusim::import
