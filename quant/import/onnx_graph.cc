// SPDX-License-Identifier: MIT
#include "quant/import/onnx_graph.h"

#include "memmap/base/error.h"

namespace mcusim::import {

const onnx_file::Tensor* Importer::constant(const onnx_file::Node& node, size_t input) const {
  if (!node.has_input(input)) return nullptr;
  const auto at = model.constants.find(node.inputs[input]);
  return at == model.constants.end() ? nullptr : &at->second;
}

const onnx_file::Tensor& Importer::need_constant(const onnx_file::Node& node, size_t input,
                                                 const char* role) const {
  const auto* found = constant(node, input);
  if (!found) throw Unsupported{fmt::format("its {} must be a constant", role)};
  return *found;
}

View Importer::activation(const onnx_file::Node& node, size_t input) const {
  if (!node.has_input(input)) throw Unsupported{fmt::format("input {} is missing", input)};
  const auto at = views.find(node.inputs[input]);
  if (at == views.end()) throw Unsupported{fmt::format("input {} must not be a constant", input)};
  return at->second;
}

View Importer::spatial(const onnx_file::Node& node, size_t input) const {
  const View view = activation(node, input);
  if (view.form != Form::nchw) throw Unsupported{"its input is not N,C,H,W"};
  return view;
}

graph::Node& Importer::append(graph::Kind kind, const onnx_file::Node& from, View in, uint32_t h,
                              uint32_t w, uint32_t c, Form form) {
  graph::Node node;
  node.name = from.name;
  node.kind = kind;
  node.in0 = in.value;
  node.out = graph.add_value(from.outputs[0], h, w, c);
  views[from.outputs[0]] = {node.out, form};
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back();
}

graph::Node* Importer::sole_producer(const onnx_file::Node& node, const View& view) {
  int readers = 0;
  for (const auto& input : node.inputs)
    if (views.count(input)) readers += uses.at(input);
  if (readers != 1) return nullptr;
  for (auto& candidate : graph.nodes)
    if (candidate.out == view.value && graph.consumers(view.value).empty()) return &candidate;
  return nullptr;
}

uint32_t dimension(int64_t value, const char* what) {
  if (value < 1 || value > 65535)
    throw Unsupported{fmt::format("{} of {} (must be 1 to 65535)", what, value)};
  return static_cast<uint32_t>(value);
}

}  // namespace mcusim::import
