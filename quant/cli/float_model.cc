// SPDX-License-Identifier: MIT
#include "quant/cli/float_model.h"

#include <charconv>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/import/onnx.h"
#include "quant/import/qdq_strip.h"
#include "quant/import/tflite_float.h"
#include "quant/zoo/zoo.h"

namespace mcusim::net_cli {
namespace {

template <typename T>
bool whole_number(std::string_view text, T& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

graph::Graph load_float_model(const std::string& text) {
  if (text.ends_with(".onnx")) return import::read_onnx(text);
  if (text.ends_with(".tflite")) return import::import_float_tflite(read_file(text), text);
  for (const auto& family : zoo::families()) {
    const std::string prefix = std::string(family.name) + "_";
    const size_t split = text.rfind('_');
    if (!text.starts_with(prefix) || split < prefix.size()) continue;
    uint32_t resolution = 0;
    double width = 0;
    const std::string_view view = text;
    if (whole_number(view.substr(prefix.size(), split - prefix.size()), resolution) &&
        whole_number(view.substr(split + 1), width) && resolution >= 16 && resolution <= 1024 &&
        width >= 0.01 && width <= 4)
      return family.build(width, resolution);
  }
  throw Error("{}: neither .onnx nor .tflite nor a network of the zoo (mobilenet_v1_224_0.75)", text);
}

bool is_float_model(const std::string& path) {
  if (path.ends_with(".tflite")) return import::is_float_tflite(read_file(path), path);
  if (!path.ends_with(".onnx")) return false;
  const auto folder = std::filesystem::path(path).parent_path().string();
  return !import::is_quantised(onnx_file::parse(read_file(path), path, folder));
}

}  // namespace mcusim::net_cli
