// SPDX-License-Identifier: MIT
// Any bytes as a TensorFlow Lite model, int8 and float: a network, or an Error.
#include "quant/import/tflite.h"

#include "memmap/base/error.h"
#include "quant/import/tflite_float.h"
#include "quant/pack/place.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    mcusim::import::import_float_tflite({data, data + size}, "fuzz.tflite");
  } catch (const mcusim::Error&) {
  }
  try {
    auto imported = mcusim::import_tflite({data, data + size}, "fuzz.tflite");
    mcusim::place_tensors(imported.net);
    mcusim::encode(imported.net);
  } catch (const mcusim::Error&) {
  }
  return 0;
}
