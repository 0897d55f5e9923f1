// SPDX-License-Identifier: MIT
#include "quant/import/onnx_write.h"

#include <cmath>

#include "memmap/base/error.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#include <onnx/onnx_pb.h>
#pragma GCC diagnostic pop

namespace mcusim::import {
namespace {

namespace pb = ::onnx;
using graph::Kind;
using graph::Node;

class Writer {
 public:
  explicit Writer(const graph::Graph& graph) : graph_(graph) {
    model_.set_ir_version(pb::IR_VERSION_2020_5_8);  // the version of opset 13
    model_.set_producer_name("mcusim");
    auto* opset = model_.add_opset_import();
    opset->set_domain("");
    opset->set_version(13);
    model_.mutable_graph()->set_name(graph.name);
  }

  std::vector<uint8_t> run() {
    for (const int input : graph_.inputs) describe(*to().add_input(), input);
    for (const auto& node : graph_.nodes) write(node);
    for (const int output : graph_.outputs) describe(*to().add_output(), output);
    std::vector<uint8_t> bytes(model_.ByteSizeLong());
    model_.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

 private:
  pb::GraphProto& to() { return *model_.mutable_graph(); }
  const graph::Value& value(int id) const { return graph_.values[id]; }
  bool is_vector(int id) const { return vectors_.size() > static_cast<size_t>(id) && vectors_[id]; }

  void describe(pb::ValueInfoProto& info, int id) {
    info.set_name(value(id).name);
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(pb::TensorProto::FLOAT);
    const auto& v = value(id);
    std::vector<int64_t> dims = {1, v.c, v.h, v.w};
    if (is_vector(id)) dims = {1, v.c};
    for (const int64_t dim : dims) type->mutable_shape()->add_dim()->set_dim_value(dim);
  }

  pb::NodeProto& add(const char* op, const std::string& name, std::vector<std::string> inputs,
                     const std::string& output) {
    auto* node = to().add_node();
    node->set_op_type(op);
    node->set_name(name);
    for (auto& input : inputs) node->add_input(std::move(input));
    node->add_output(output);
    return *node;
  }

  static void attribute(pb::NodeProto& node, const char* name, std::vector<int64_t> values) {
    auto* to = node.add_attribute();
    to->set_name(name);
    to->set_type(pb::AttributeProto::INTS);
    for (const int64_t v : values) to->add_ints(v);
  }
  static void attribute(pb::NodeProto& node, const char* name, int64_t v) {
    auto* to = node.add_attribute();
    to->set_name(name);
    to->set_type(pb::AttributeProto::INT);
    to->set_i(v);
  }
  static void attribute(pb::NodeProto& node, const char* name, float v) {
    auto* to = node.add_attribute();
    to->set_name(name);
    to->set_type(pb::AttributeProto::FLOAT);
    to->set_f(v);
  }

  std::string constant(const std::string& name, std::vector<int64_t> dims,
                       const std::vector<float>& values) {
    auto* tensor = to().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(pb::TensorProto::FLOAT);
    for (const int64_t dim : dims) tensor->add_dims(dim);
    tensor->set_raw_data(values.data(), values.size() * sizeof(float));
    return name;
  }
  std::string integers(const std::string& name, const std::vector<int64_t>& values) {
    auto* tensor = to().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(pb::TensorProto::INT64);
    tensor->add_dims(static_cast<int64_t>(values.size()));
    for (const int64_t v : values) tensor->add_int64_data(v);
    return name;
  }

  void window(pb::NodeProto& to, const Node& node) {
    attribute(to, "kernel_shape", {node.kernel_h, node.kernel_w});
    attribute(to, "strides", {node.stride_h, node.stride_w});
    attribute(to, "pads", {node.pad_top, node.pad_left, node.pad_bottom, node.pad_right});
  }

  void write(const Node& node) {
    const std::string in = value(node.in0).name, out = value(node.out).name, &name = node.name;
    if (graph_.weight_count(node) != node.weights.size())
      throw Error("{}: {}: has no weights to write", graph_.name, name);
    vectors_.resize(graph_.values.size());
    vectors_[node.out] = is_vector(node.in0);
    const int64_t co = value(node.out).c;
    switch (node.kind) {
      case Kind::conv: return conv(node, in, out);
      case Kind::fully_connected: return fully_connected(node, in, out);
      case Kind::batch_norm: {
        auto& to = add("BatchNormalization", name,
                       {in, constant(name + ".gamma", {co}, node.gamma),
                        constant(name + ".beta", {co}, node.beta),
                        constant(name + ".mean", {co}, node.mean),
                        constant(name + ".var", {co}, node.variance)}, out);
        return attribute(to, "epsilon", node.epsilon);
      }
      case Kind::clamp: {
        if (node.low == 0 && std::isinf(node.high)) return void(add("Relu", name, {in}, out));
        std::vector<std::string> inputs = {in, "", ""};
        if (std::isfinite(node.low)) inputs[1] = constant(name + ".min", {}, {node.low});
        if (std::isfinite(node.high)) inputs[2] = constant(name + ".max", {}, {node.high});
        return void(add("Clip", name, inputs, out));
      }
      case Kind::add: return void(add("Add", name, {in, value(node.in1).name}, out));
      case Kind::max_pool: return window(add("MaxPool", name, {in}, out), node);
      case Kind::avg_pool: {
        auto& to = add("AveragePool", name, {in}, out);
        window(to, node);
        return attribute(to, "count_include_pad", int64_t{node.count_padding});
      }
      case Kind::pad:
        return void(add("Pad", name,
                        {in, integers(name + ".pads", {0, 0, node.pad_top, node.pad_left, 0, 0,
                                                       node.pad_bottom, node.pad_right}),
                         constant(name + ".value", {}, {node.pad_value})}, out));
      case Kind::softmax: return attribute(add("Softmax", name, {in}, out), "axis", int64_t{1});
      case Kind::flatten: throw Error("{}: {}: a flatten has no N,C,H,W form", graph_.name, name);
    }
  }

  void conv(const Node& node, const std::string& in, const std::string& out) {
    const size_t co = value(node.out).c, ci = value(node.in0).c / node.groups;
    const size_t taps = size_t{node.kernel_h} * node.kernel_w;
    std::vector<float> weights(node.weights.size());
    for (size_t o = 0; o < co; ++o)
      for (size_t t = 0; t < taps; ++t)
        for (size_t i = 0; i < ci; ++i)
          weights[(o * ci + i) * taps + t] = node.weights[(o * taps + t) * ci + i];
    std::vector<std::string> inputs = {
        in, constant(node.name + ".w",
                     {static_cast<int64_t>(co), static_cast<int64_t>(ci), node.kernel_h,
                      node.kernel_w}, weights)};
    if (!node.bias.empty())
      inputs.push_back(constant(node.name + ".b", {static_cast<int64_t>(co)}, node.bias));
    auto& to = add("Conv", node.name, inputs, out);
    window(to, node);
    attribute(to, "group", int64_t{node.groups});
  }

  void fully_connected(const Node& node, const std::string& in, const std::string& out) {
    const auto& from = value(node.in0);
    const size_t n = value(node.out).c, k = from.elements(), area = size_t{from.h} * from.w;
    std::string flat = in;
    if (!is_vector(node.in0)) {
      flat = node.name + ".flat";
      attribute(add("Flatten", flat, {in}, flat), "axis", int64_t{1});
    }
    std::vector<float> weights(node.weights.size());
    for (size_t o = 0; o < n; ++o)
      for (size_t i = 0; i < k; ++i)  // i counts channels last, the flattened tensor first
        weights[o * k + i % from.c * area + i / from.c] = node.weights[o * k + i];
    std::vector<std::string> inputs = {
        flat, constant(node.name + ".w", {static_cast<int64_t>(n), static_cast<int64_t>(k)}, weights)};
    if (!node.bias.empty())
      inputs.push_back(constant(node.name + ".b", {static_cast<int64_t>(n)}, node.bias));
    attribute(add("Gemm", node.name, inputs, out), "transB", int64_t{1});
    vectors_[node.out] = true;
  }

  const graph::Graph& graph_;
  pb::ModelProto model_;
  std::vector<bool> vectors_;  // values that have two axes in the file
};

}  // namespace

std::vector<uint8_t> format_onnx(const graph::Graph& graph) { return Writer(graph).run(); }

}  // namespace mcusim::import
