// SPDX-License-Identifier: MIT
// A .tflite file as plain structs. Everything a later step relies on is checked
// here once: the FlatBuffers structure, every index, every shape, the byte count
// of every constant. Nothing is interpreted yet.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quant/import/tflite_generated.h"

namespace mcusim {

struct TfliteTensor {
  std::string name;
  tflite::TensorType type{};
  std::vector<uint32_t> shape;
  uint64_t elements = 1;
  std::span<const uint8_t> data;  // empty unless constant
  std::vector<float> scales;
  std::vector<int64_t> zero_points;
  int quantized_dimension = 0;
  bool sparse = false, is_variable = false;

  bool constant() const { return !data.empty(); }
};

struct TfliteOp {
  int index = 0;
  int code = 0;                      // number of the operator in the public format
  std::string custom_name;           // of a custom operator
  std::vector<int> inputs, outputs;  // tensor indices; an absent optional input is -1
  const tflite::Operator* raw = nullptr;

  int input(size_t i) const { return i < inputs.size() ? inputs[i] : -1; }
};

class TfliteModel {
 public:
  // `name` stands for the file in messages. Throws Error for an unsound file.
  TfliteModel(std::vector<uint8_t> file, std::string name);
  TfliteModel(const TfliteModel&) = delete;
  TfliteModel& operator=(const TfliteModel&) = delete;

  std::string name;
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteOp> ops;
  std::vector<int> inputs, outputs;

 private:
  // Copies a list out of the file; the copies of one file are bounded, because a
  // hostile one may point to the same long list thousands of times.
  template <typename T>
  std::vector<T> copy(const flatbuffers::Vector<T>* list);
  std::string copy(const flatbuffers::String* text);
  void spend(uint64_t bytes);
  void read_tensors(const tflite::Model& model, const tflite::SubGraph& graph);
  void read_operators(const tflite::Model& model, const tflite::SubGraph& graph);

  std::vector<uint8_t> file_;
  uint64_t budget_bytes_ = 0;
};

// "CONV_2D"; "operator 300" for numbers without a name here.
std::string tflite_operator_name(const TfliteOp& op);
std::string tflite_type_name(tflite::TensorType type);

// The leading folder that the results of all operators share ("model/"), else empty.
std::string tflite_shared_prefix(const TfliteModel& model);
// A tensor's name without that folder, and without the names fused into it.
std::string tflite_short_name(const TfliteTensor& tensor, const std::string& prefix);
// The file's name without folder and ending.
std::string tflite_network_name(const std::string& path);

}  // namespace mcusim
