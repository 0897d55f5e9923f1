// SPDX-License-Identifier: MIT
// Reading .tflite: FlatBuffers' verifier judges the bytes, the checks here judge
// what the bytes say. The limits keep a hostile file from asking for memory.
#include "quant/import/tflite_model.h"

#include <algorithm>
#include <cstring>

#include "kernels/net_format.h"
#include "memmap/base/error.h"

namespace mcusim {
namespace {

constexpr uint32_t kFormatVersion = 3;
constexpr int kCustomOperator = 32;
constexpr flatbuffers::uoffset_t kMaxDepth = 16, kMaxTables = 1 << 18;
constexpr uint32_t kMaxTensors = 1 << 16;
constexpr uint64_t kMaxElements = uint64_t{1} << 30;

// Bits of one element, indexed by the number of the type; 0: not of fixed size.
constexpr uint32_t kTypeBits[] = {32, 16, 32, 8, 64, 0, 8, 16, 64, 8, 64, 128, 64, 0, 0, 32, 16, 4};

uint32_t type_bits(tflite::TensorType type) {
  const auto number = static_cast<size_t>(static_cast<uint8_t>(type));
  return number < std::size(kTypeBits) ? kTypeBits[number] : 0;
}

// Honest files share few lists; this is how often each byte may be copied.
constexpr uint64_t kCopiesPerByte = 16;

}  // namespace

void TfliteModel::spend(uint64_t bytes) {
  if (bytes > budget_bytes_)
    throw Error("{}: its lists overlap so often that they exceed the file", name);
  budget_bytes_ -= bytes;
}

template <typename T>
std::vector<T> TfliteModel::copy(const flatbuffers::Vector<T>* list) {
  if (!list) return {};
  spend(uint64_t{list->size()} * sizeof(T));
  std::vector<T> values(list->size());
  // Not by element: the verifier does not check the alignment of 64-bit elements.
  if (!values.empty()) std::memcpy(values.data(), list->Data(), values.size() * sizeof(T));
  return values;
}

std::string TfliteModel::copy(const flatbuffers::String* text) {
  if (!text) return "";
  spend(text->size());
  return text->str();
}

TfliteModel::TfliteModel(std::vector<uint8_t> file, std::string file_name)
    : name(std::move(file_name)),
      file_(std::move(file)),
      budget_bytes_(file_.size() * kCopiesPerByte) {
  if (file_.size() < 8 || !tflite::ModelBufferHasIdentifier(file_.data()))
    throw Error("{}: not a TensorFlow Lite model (no TFL3 mark)", name);
  flatbuffers::Verifier verifier(file_.data(), file_.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier))
    throw Error("{}: damaged TensorFlow Lite model: an offset or size points outside the file",
                name);
  const tflite::Model& model = *tflite::GetModel(file_.data());
  if (model.version() != kFormatVersion)
    throw Error("{}: TensorFlow Lite format version {} (only {} is supported)", name,
                model.version(), kFormatVersion);
  if (!model.subgraphs() || model.subgraphs()->size() != 1)
    throw Error("{}: {} subgraphs (exactly one is supported)", name,
                model.subgraphs() ? model.subgraphs()->size() : 0);
  const tflite::SubGraph* graph = model.subgraphs()->Get(0);
  if (!graph->tensors() || !graph->operators() || !graph->inputs() || !graph->outputs() ||
      graph->operators()->size() == 0 || graph->inputs()->size() == 0 ||
      graph->outputs()->size() == 0)
    throw Error("{}: the graph has no tensors, operators, inputs or outputs", name);
  if (graph->operators()->size() > net::kMaxOps || graph->tensors()->size() > kMaxTensors)
    throw Error("{}: {} operators and {} tensors (at most {} and {})", name,
                graph->operators()->size(), graph->tensors()->size(), net::kMaxOps, kMaxTensors);
  read_tensors(model, *graph);
  read_operators(model, *graph);
}

void TfliteModel::read_tensors(const tflite::Model& model, const tflite::SubGraph& graph) {
  const auto* buffers = model.buffers();
  for (const tflite::Tensor* raw : *graph.tensors()) {
    TfliteTensor tensor;
    tensor.name = copy(raw->name());
    tensor.type = raw->type();
    tensor.sparse = raw->sparsity() != nullptr;
    tensor.is_variable = raw->is_variable();
    const std::string place = fmt::format("{}: tensor {} ({})", name, tensors.size(), tensor.name);
    for (const int32_t n : copy(raw->shape())) {
      if (n < 1) throw Error("{}: dimension {} (shapes must be fixed)", place, n);
      tensor.shape.push_back(static_cast<uint32_t>(n));
      tensor.elements *= static_cast<uint32_t>(n);
      if (tensor.elements > kMaxElements) throw Error("{}: more than 2^30 elements", place);
    }
    if (raw->buffer() != 0 || (buffers && buffers->size() > 0)) {
      if (!buffers || raw->buffer() >= buffers->size())
        throw Error("{}: buffer {} does not exist", place, raw->buffer());
      const tflite::Buffer* buffer = buffers->Get(raw->buffer());
      if (buffer->offset() > 1) throw Error("{}: data outside the model file", place);
      if (buffer->data()) tensor.data = {buffer->data()->data(), buffer->data()->size()};
    }
    const uint32_t bits = type_bits(tensor.type);
    if (tensor.constant() && bits != 0 && !tensor.sparse &&
        tensor.data.size() != (tensor.elements * bits + 7) / 8)
      throw Error("{}: {} bytes of data for {} elements of {}", place, tensor.data.size(),
                  tensor.elements, tflite_type_name(tensor.type));
    if (const auto* quantization = raw->quantization()) {
      tensor.scales = copy(quantization->scale());
      tensor.zero_points = copy(quantization->zero_point());
      tensor.quantized_dimension = quantization->quantized_dimension();
    }
    if (tensor.zero_points.empty()) tensor.zero_points.assign(tensor.scales.size(), 0);
    if (tensor.zero_points.size() != tensor.scales.size())
      throw Error("{}: {} scales but {} zero points", place, tensor.scales.size(),
                  tensor.zero_points.size());
    tensors.push_back(std::move(tensor));
  }
}

void TfliteModel::read_operators(const tflite::Model& model, const tflite::SubGraph& graph) {
  const auto ids = [&](const flatbuffers::Vector<int32_t>* list, int lowest,
                       const std::string& place) {
    const std::vector<int32_t> values = copy(list);
    for (const int id : values)
      if (id < lowest || id >= static_cast<int>(tensors.size()))
        throw Error("{}: tensor {} does not exist", place, id);
    return std::vector<int>(values.begin(), values.end());
  };
  inputs = ids(graph.inputs(), 0, name + ": graph inputs");
  outputs = ids(graph.outputs(), 0, name + ": graph outputs");
  const auto* codes = model.operator_codes();
  for (const tflite::Operator* raw : *graph.operators()) {
    TfliteOp op;
    op.index = static_cast<int>(ops.size());
    op.raw = raw;
    const std::string place = fmt::format("{}: operator {}", name, op.index);
    if (!codes || raw->opcode_index() >= codes->size())
      throw Error("{}: operator code {} does not exist", place, raw->opcode_index());
    const tflite::OperatorCode* code = codes->Get(raw->opcode_index());
    // Files older than the 32-bit field carry the number in the byte alone.
    op.code = std::max<int>(code->short_code(), code->code());
    if (op.code == kCustomOperator) op.custom_name = copy(code->custom_name());
    op.inputs = ids(raw->inputs(), -1, place);
    op.outputs = ids(raw->outputs(), 0, place);
    ops.push_back(std::move(op));
  }
}

}  // namespace mcusim
