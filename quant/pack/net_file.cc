// SPDX-License-Identifier: MIT
#include "quant/pack/net_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/import/qdq.h"
#include "quant/import/qdq_strip.h"
#include "quant/import/tflite.h"
#include "quant/import/tflite_float.h"
#include "quant/pack/net_json.h"
#include "quant/pack/place.h"

namespace mcusim {
namespace {

using Bytes = std::vector<uint8_t>;

bool has_mark(const Bytes& bytes, size_t at, const char* mark) {
  const size_t length = std::strlen(mark);
  return bytes.size() >= at + length && std::memcmp(bytes.data() + at, mark, length) == 0;
}

bool is_container(const Bytes& bytes) { return has_mark(bytes, 0, "MCUN"); }
bool is_tflite(const Bytes& bytes) { return has_mark(bytes, 4, "TFL3"); }
bool is_json(const Bytes& bytes) {
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](uint8_t c) { return c > ' '; });
  return first != bytes.end() && *first == '{';
}

NetFile from_container(Bytes bytes, const std::string& path) {
  try {
    NetFile file;
    file.net = decode(bytes.data(), bytes.size());
    file.container = std::move(bytes);
    return file;
  } catch (const Error& error) {
    throw Error("{}: {}", path, error.what());
  }
}

NetFile packed(IntNet net, std::vector<std::string> notes, const std::string& path) {
  try {
    NetFile file{std::move(net), {}, std::move(notes)};
    file.container = encode(file.net);
    return file;
  } catch (const Error& error) {
    throw Error("{}: {}", path, error.what());
  }
}

constexpr const char* kFloat =
    "a float network; `mcusim quantize` makes an integer network of it";

NetFile from_tflite(Bytes bytes, const std::string& path) {
  if (import::is_float_tflite(bytes, path)) throw Error("{}: {}", path, kFloat);
  ImportedNet imported = import_tflite(std::move(bytes), path);
  place_tensors(imported.net);
  return packed(std::move(imported.net), std::move(imported.notes), path);
}

NetFile from_json(Bytes, const std::string& path) { return packed(read_net_json(path), {}, path); }

struct FormatRow {
  bool (*matches)(const Bytes&);
  NetFile (*load)(Bytes, const std::string& path);
};

// Protobuf has no mark of its own; the name decides.
NetFile from_onnx(Bytes bytes, const std::string& path) {
  auto model = onnx_file::parse(bytes, path, std::filesystem::path(path).parent_path().string());
  if (!import::is_quantised(model))
    throw Error("{}: {}", path, kFloat);
  ImportedNet imported = import::import_qdq(std::move(model), path);
  place_tensors(imported.net);
  return packed(std::move(imported.net), std::move(imported.notes), path);
}

constexpr FormatRow kFormats[] = {
    {is_container, from_container}, {is_tflite, from_tflite}, {is_json, from_json}};

}  // namespace

NetFile load_net_file(const std::string& path) {
  Bytes bytes = read_file(path);
  for (const auto& row : kFormats)
    if (row.matches(bytes)) return row.load(std::move(bytes), path);
  if (path.ends_with(".onnx")) return from_onnx(std::move(bytes), path);
  throw Error("{}: neither net.bin, net.json, a TensorFlow Lite model nor .onnx", path);
}

}  // namespace mcusim
