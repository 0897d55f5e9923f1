// SPDX-License-Identifier: MIT
// An ONNX file as plain structures: the protobuf and everything about bytes stay
// behind this seam. Every tensor has been checked to hold what its shape says.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace mcusim::onnx_file {

struct Tensor {
  std::vector<int64_t> dims;
  std::string type;             // "float", "int64", "int8", ...
  std::vector<float> reals;     // filled for float and double
  std::vector<int64_t> integers;  // filled for integer types

  bool is_real() const { return type == "float" || type == "double"; }
  size_t size() const { return is_real() ? reals.size() : integers.size(); }
  std::vector<float> as_reals() const;
};

struct Attribute {
  int64_t integer = 0;
  float real = 0;
  std::string text;
  std::vector<int64_t> integers;
  std::vector<float> reals;
  Tensor tensor;
};

struct Node {
  std::string name, op, domain;  // name: the first output's when the node has none
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute> attributes;

  bool has_input(size_t index) const { return index < inputs.size() && !inputs[index].empty(); }
  int64_t integer(const std::string& attribute, int64_t fallback) const;
  float real(const std::string& attribute, float fallback) const;
  std::string text(const std::string& attribute, const std::string& fallback) const;
  std::vector<int64_t> integers(const std::string& attribute,
                                const std::vector<int64_t>& fallback) const;
};

struct Input {
  std::string name;
  std::vector<int64_t> dims;     // -1 where symbolic or absent
};

struct Model {
  std::string name;
  int64_t opset = 0;
  std::vector<Input> inputs;     // without initializers
  std::vector<std::string> outputs;
  std::map<std::string, Tensor> constants;  // initializers
  std::vector<Node> nodes;
};

// `folder` is where external data may lie, and nowhere outside it. Throws Error.
Model parse(std::span<const uint8_t> bytes, const std::string& name, const std::string& folder);

// A serialised TensorProto of its own (.pb), as ONNX ships test data.
Tensor parse_tensor(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace mcusim::onnx_file
