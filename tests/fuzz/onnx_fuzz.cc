// SPDX-License-Identifier: MIT
// Any bytes as an ONNX model, float or quantised: a network, or an Error.
#include "quant/import/onnx.h"

#include "memmap/base/error.h"
#include "quant/import/qdq.h"
#include "quant/import/qdq_strip.h"
#include "quant/pack/place.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    auto model = mcusim::onnx_file::parse({data, size}, "fuzz.onnx", "/nonexistent");
    if (!mcusim::import::is_quantised(model)) {
      mcusim::import::import_model(std::move(model), "fuzz.onnx");
    } else {
      auto imported = mcusim::import::import_qdq(std::move(model), "fuzz.onnx");
      mcusim::place_tensors(imported.net);
      mcusim::encode(imported.net);
    }
  } catch (const mcusim::Error&) {
  }
  return 0;
}
