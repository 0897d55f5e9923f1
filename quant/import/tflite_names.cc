// SPDX-License-Identifier: MIT
// Names of operators and element types of the TensorFlow Lite format, in the
// order of their public numbers: messages name what a file holds, also when it
// is not supported.
#include <iterator>

#include "memmap/base/error.h"
#include "quant/import/tflite_model.h"

namespace mcusim {
namespace {

// clang-format off
const char* const kOperatorNames[] = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE",
    "DEQUANTIZE", "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP",
    "L2_NORMALIZATION", "L2_POOL_2D", "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC",
    "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU", "RELU_N1_TO_1", "RELU6", "RESHAPE",
    "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH", "CONCAT_EMBEDDINGS",
    "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND",
    "TRANSPOSE", "MEAN", "SUB", "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE",
    "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2", "SPLIT", "LOG_SOFTMAX", "DELEGATE",
    "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX", "MINIMUM", "LESS",
    "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN",
    "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG",
    "SUM", "SQRT", "RSQRT", "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX",
    "PACK", "LOGICAL_OR", "ONE_HOT", "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN",
    "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL", "FLOOR_MOD", "RANGE",
    "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS", "SPLIT_V",
    "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF",
    "WHILE"};

const char* const kTypeNames[] = {
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64",
    "int8", "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4"};
// clang-format on

// "block/conv/Relu;block/bn/..." is known by its first part.
std::string first_part(const std::string& name) { return name.substr(0, name.find(';')); }

}  // namespace

std::string tflite_shared_prefix(const TfliteModel& model) {
  std::string prefix;
  size_t with_folder = 0;
  for (const auto& op : model.ops) {
    if (op.outputs.empty()) continue;
    const std::string name = first_part(model.tensors[static_cast<size_t>(op.outputs[0])].name);
    const size_t slash = name.find('/');
    if (slash == std::string::npos) continue;  // the output is often plain "Identity"
    const std::string folder = name.substr(0, slash + 1);
    if (with_folder++ == 0) prefix = folder;
    if (folder != prefix) return "";
  }
  return with_folder > 1 ? prefix : "";
}

std::string tflite_short_name(const TfliteTensor& tensor, const std::string& prefix) {
  const std::string name = first_part(tensor.name);
  const bool shared = !prefix.empty() && name.starts_with(prefix);
  return shared ? name.substr(prefix.size()) : name;
}

std::string tflite_network_name(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  if (name.ends_with(".tflite")) name.resize(name.size() - 7);
  return name;
}

std::string tflite_operator_name(const TfliteOp& op) {
  if (!op.custom_name.empty()) return "CUSTOM " + op.custom_name;
  const auto number = static_cast<size_t>(op.code);
  if (op.code >= 0 && number < std::size(kOperatorNames)) return kOperatorNames[number];
  return fmt::format("operator number {}", op.code);
}

std::string tflite_type_name(tflite::TensorType type) {
  const auto number = static_cast<size_t>(static_cast<uint8_t>(type));
  return number < std::size(kTypeNames) ? kTypeNames[number] : fmt::format("type {}", number);
}

}  // namespace mcusim
