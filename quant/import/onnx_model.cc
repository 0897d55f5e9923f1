// SPDX-License-Identifier: MIT
#include "quant/import/onnx_model.h"

#include <cstring>
#include <filesystem>
#include <limits>

#include "memmap/base/bytes.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#include <onnx/onnx_pb.h>
#pragma GCC diagnostic pop

namespace mcusim::onnx_file {
namespace {

namespace pb = ::onnx;

// More values than any network for a microcontroller has in one tensor.
constexpr uint64_t kMaxElements = uint64_t{1} << 28;

struct TypeRow {
  int type;
  const char* name;
  uint32_t bytes;  // of one element of raw data
};
constexpr TypeRow kTypes[] = {
    {pb::TensorProto::FLOAT, "float", 4},  {pb::TensorProto::DOUBLE, "double", 8},
    {pb::TensorProto::INT8, "int8", 1},    {pb::TensorProto::UINT8, "uint8", 1},
    {pb::TensorProto::INT16, "int16", 2},  {pb::TensorProto::UINT16, "uint16", 2},
    {pb::TensorProto::INT32, "int32", 4},  {pb::TensorProto::INT64, "int64", 8},
    {pb::TensorProto::BOOL, "bool", 1},
};

class Parser {
 public:
  Parser(std::string name, std::string folder) : name_(std::move(name)), folder_(std::move(folder)) {}

  Model parse(std::span<const uint8_t> bytes) {
    pb::ModelProto proto;
    if (bytes.size() > std::numeric_limits<int>::max() ||
        !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto.has_graph())
      throw Error("{}: not an ONNX model", name_);
    Model model;
    model.name = std::filesystem::path(name_).stem().string();
    for (const auto& opset : proto.opset_import())
      if (opset.domain().empty() || opset.domain() == "ai.onnx") model.opset = opset.version();
    const auto& graph = proto.graph();
    if (graph.sparse_initializer_size() > 0)
      throw Error("{}: sparse initializers are not supported", name_);
    for (const auto& initializer : graph.initializer())
      model.constants[initializer.name()] = tensor(initializer);
    for (const auto& input : graph.input())
      if (!model.constants.count(input.name())) model.inputs.push_back(this->input(input));
    for (const auto& output : graph.output()) model.outputs.push_back(output.name());
    for (const auto& from : graph.node()) model.nodes.push_back(node(from));
    return model;
  }

  Tensor single(std::span<const uint8_t> bytes) {
    pb::TensorProto proto;
    if (bytes.size() > std::numeric_limits<int>::max() ||
        !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      throw Error("{}: not an ONNX tensor", name_);
    return tensor(proto);
  }

 private:
  static Input input(const pb::ValueInfoProto& from) {
    Input result{from.name(), {}};
    for (const auto& dim : from.type().tensor_type().shape().dim())
      result.dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    return result;
  }

  Node node(const pb::NodeProto& from) {
    Node result;
    result.op = from.op_type();
    result.domain = from.domain() == "ai.onnx" ? "" : from.domain();
    result.inputs.assign(from.input().begin(), from.input().end());
    result.outputs.assign(from.output().begin(), from.output().end());
    result.name = !from.name().empty() || result.outputs.empty() ? from.name() : result.outputs[0];
    for (const auto& attribute : from.attribute()) {
      Attribute to;
      to.integer = attribute.i();
      to.real = attribute.f();
      to.text = attribute.s();
      to.integers.assign(attribute.ints().begin(), attribute.ints().end());
      to.reals.assign(attribute.floats().begin(), attribute.floats().end());
      if (attribute.has_t()) to.tensor = tensor(attribute.t());
      result.attributes[attribute.name()] = std::move(to);
    }
    return result;
  }

  Tensor tensor(const pb::TensorProto& from) {
    const TypeRow* row = nullptr;
    for (const auto& known : kTypes)
      if (known.type == from.data_type()) row = &known;
    if (!row)
      throw Error("{}: tensor '{}' has data type {}, which is not supported", name_, from.name(),
                  from.data_type());
    Tensor result;
    result.type = row->name;
    uint64_t count = 1;
    for (const int64_t dim : from.dims()) {
      if (dim < 0 || (dim > 0 && count > kMaxElements / static_cast<uint64_t>(dim)))
        throw Error("{}: tensor '{}' has a dimension of {}", name_, from.name(), dim);
      count *= static_cast<uint64_t>(dim);
      result.dims.push_back(dim);
    }
    if (from.data_location() == pb::TensorProto::EXTERNAL) {
      const auto bytes = external(from);
      raw(result, *row, bytes, count, from.name());
    } else if (from.has_raw_data()) {
      const std::string& data = from.raw_data();
      raw(result, *row, {reinterpret_cast<const uint8_t*>(data.data()), data.size()}, count,
          from.name());
    } else {
      typed(result, from);
    }
    if (result.size() != count)
      throw Error("{}: tensor '{}' holds {} values, its shape says {}", name_, from.name(),
                  result.size(), count);
    return result;
  }

  static void typed(Tensor& to, const pb::TensorProto& from) {
    if (to.type == "float")
      to.reals.assign(from.float_data().begin(), from.float_data().end());
    else if (to.type == "double")
      to.reals.assign(from.double_data().begin(), from.double_data().end());
    else if (to.type == "int64")
      to.integers.assign(from.int64_data().begin(), from.int64_data().end());
    else
      to.integers.assign(from.int32_data().begin(), from.int32_data().end());
  }

  void raw(Tensor& to, const TypeRow& row, std::span<const uint8_t> data, uint64_t count,
           const std::string& tensor_name) {
    if (data.size() != count * row.bytes)
      throw Error("{}: tensor '{}' has {} bytes, its shape says {}", name_, tensor_name,
                  data.size(), count * row.bytes);
    const ByteReader reader(data, tensor_name);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t at = i * row.bytes;
      switch (row.type) {
        case pb::TensorProto::FLOAT: to.reals.push_back(reader.at<float>(at)); break;
        case pb::TensorProto::DOUBLE:
          to.reals.push_back(static_cast<float>(reader.at<double>(at)));
          break;
        case pb::TensorProto::INT8: to.integers.push_back(reader.at<int8_t>(at)); break;
        case pb::TensorProto::INT16: to.integers.push_back(reader.at<int16_t>(at)); break;
        case pb::TensorProto::UINT16: to.integers.push_back(reader.at<uint16_t>(at)); break;
        case pb::TensorProto::INT32: to.integers.push_back(reader.at<int32_t>(at)); break;
        case pb::TensorProto::INT64: to.integers.push_back(reader.at<int64_t>(at)); break;
        default: to.integers.push_back(reader.at<uint8_t>(at)); break;
      }
    }
  }

  // External data of the model's own folder; links out of it are followed and refused.
  std::vector<uint8_t> external(const pb::TensorProto& from) {
    std::string location;
    uint64_t offset = 0, length = 0;
    bool has_length = false;
    for (const auto& entry : from.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") offset = number(from.name(), entry.value());
      if (entry.key() == "length") {
        length = number(from.name(), entry.value());
        has_length = true;
      }
    }
    namespace fs = std::filesystem;
    std::error_code failed;
    const fs::path root = fs::weakly_canonical(folder_.empty() ? "." : folder_, failed);
    const fs::path file = fs::weakly_canonical(root / location, failed);
    const fs::path relative = file.lexically_relative(root);
    if (failed || location.empty() || fs::path(location).is_absolute() || relative.empty() ||
        *relative.begin() == "..")
      throw Error("{}: tensor '{}': external data '{}' is not inside the model's folder", name_,
                  from.name(), location);
    if (!fs::is_regular_file(file, failed))
      throw Error("{}: tensor '{}': external data '{}' is not a file", name_, from.name(), location);
    const auto bytes = read_file(file.string());
    const ByteReader reader(bytes, location);
    if (!has_length) length = bytes.size() - std::min<uint64_t>(offset, bytes.size());
    const auto part = reader.range(offset, length);
    return {part.begin(), part.end()};
  }

  uint64_t number(const std::string& tensor_name, const std::string& text) {
    uint64_t value = 0;
    if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != text.npos)
      throw Error("{}: tensor '{}': external data position '{}'", name_, tensor_name, text);
    for (const char digit : text) value = value * 10 + static_cast<uint64_t>(digit - '0');
    return value;
  }

  std::string name_, folder_;
};

const Attribute* find(const Node& node, const std::string& attribute) {
  const auto at = node.attributes.find(attribute);
  return at == node.attributes.end() ? nullptr : &at->second;
}

}  // namespace

std::vector<float> Tensor::as_reals() const {
  if (is_real()) return reals;
  return {integers.begin(), integers.end()};
}

int64_t Node::integer(const std::string& attribute, int64_t fallback) const {
  const auto* found = find(*this, attribute);
  return found ? found->integer : fallback;
}

float Node::real(const std::string& attribute, float fallback) const {
  const auto* found = find(*this, attribute);
  return found ? found->real : fallback;
}

std::string Node::text(const std::string& attribute, const std::string& fallback) const {
  const auto* found = find(*this, attribute);
  return found ? found->text : fallback;
}

std::vector<int64_t> Node::integers(const std::string& attribute,
                                    const std::vector<int64_t>& fallback) const {
  const auto* found = find(*this, attribute);
  return found ? found->integers : fallback;
}

Model parse(std::span<const uint8_t> bytes, const std::string& name, const std::string& folder) {
  return Parser(name, folder).parse(bytes);
}

Tensor parse_tensor(std::span<const uint8_t> bytes, const std::string& name) {
  return Parser(name, "").single(bytes);
}

}  // namespace mcusim::onnx_file
