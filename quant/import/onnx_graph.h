// SPDX-License-Identifier: MIT
// State of one ONNX import, shared by the operator handlers: which ONNX name is
// which value, in which axis order it appears there, and what constants are known.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quant/graph/graph.h"
#include "quant/import/onnx_model.h"

namespace mcusim::import {

// How the exporter's tensor orders the axes of our h x w x c value.
enum class Form { nchw, nhwc, flat_chw, flat_hwc };

struct View {
  int value = -1;
  Form form = Form::nchw;
};

// Thrown by a handler for its own node; collected, never shown alone.
struct Unsupported {
  std::string reason;
};

struct Importer {
  onnx_file::Model model;
  graph::Graph graph;
  std::map<std::string, View> views;
  std::map<std::string, int> uses;          // readers of an ONNX name, outputs included

  const onnx_file::Tensor* constant(const onnx_file::Node& node, size_t input) const;
  const onnx_file::Tensor& need_constant(const onnx_file::Node& node, size_t input,
                                         const char* role) const;
  View activation(const onnx_file::Node& node, size_t input) const;
  // An activation in the exporter's NCHW order.
  View spatial(const onnx_file::Node& node, size_t input) const;
  graph::Value& value(const View& view) { return graph.values[view.value]; }

  // Appends a node of `kind` on input 0 with output shape h x w x c; the output's
  // view has `form`.
  graph::Node& append(graph::Kind kind, const onnx_file::Node& from, View in, uint32_t h,
                      uint32_t w, uint32_t c, Form form);
  void rename(const onnx_file::Node& from, View view) { views[from.outputs[0]] = view; }
  // The node that made the node's input 0 when nothing else reads it, else nullptr.
  graph::Node* sole_producer(const onnx_file::Node& node, const View& view);
};

// One row per ONNX operator.
struct OperatorRow {
  const char* op;
  void (*import)(Importer&, const onnx_file::Node&);
};
// The handlers, by file: windows and products, and everything else.
std::vector<OperatorRow> layer_operators();
std::vector<OperatorRow> shape_operators();

// Computes a node whose inputs are all small constants, or the Shape of an activation,
// into a constant; false when it is not such a node.
bool fold_constant(Importer& importer, const onnx_file::Node& node);

uint32_t dimension(int64_t value, const char* what);  // 1 .. 65535 or Unsupported

}  // namespace mcusim::import
