// SPDX-License-Identifier: MIT
#include "quant/import/onnx.h"

#include <filesystem>
#include <set>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/graph/simplify.h"
#include "quant/import/onnx_graph.h"

namespace mcusim::import {
namespace {

constexpr int64_t kFirstOpset = 11, kLastOpset = 17;
constexpr uint64_t kMaxElements = uint64_t{1} << 26;  // of one activation

// Exporters from TensorFlow keep NHWC inputs and transpose at once.
bool enters_as_nhwc(const onnx_file::Model& model, const std::string& input) {
  bool any = false;
  for (const auto& node : model.nodes)
    for (const auto& name : node.inputs)
      if (name == input) {
        if (node.op != "Transpose" ||
            node.integers("perm", {}) != std::vector<int64_t>{0, 3, 1, 2})
          return false;
        any = true;
      }
  return any;
}

void add_input(Importer& importer, const onnx_file::Input& input) {
  const auto& d = input.dims;
  if (d.size() != 4 && d.size() != 2)
    throw Unsupported{fmt::format("{} dimensions (must be N,C,H,W or N,C)", d.size())};
  if (d[0] > 1) throw Unsupported{fmt::format("a fixed batch of {} (must be 1 or free)", d[0])};
  std::vector<uint32_t> extents;
  for (size_t i = 1; i < d.size(); ++i) extents.push_back(dimension(d[i], "an input dimension"));
  View view;
  if (d.size() == 2) {
    view = {importer.graph.add_value(input.name, 1, 1, extents[0]), Form::flat_hwc};
  } else if (enters_as_nhwc(importer.model, input.name)) {
    view = {importer.graph.add_value(input.name, extents[0], extents[1], extents[2]), Form::nhwc};
  } else {
    view = {importer.graph.add_value(input.name, extents[1], extents[2], extents[0]), Form::nchw};
  }
  if (importer.graph.values[view.value].elements() > kMaxElements)
    throw Unsupported{"too many elements"};
  importer.graph.inputs.push_back(view.value);
  importer.views[input.name] = view;
}

void import_node(Importer& importer, const onnx_file::Node& node,
                 const std::map<std::string, const OperatorRow*>& table,
                 const std::set<std::string>& poisoned) {
  for (const auto& name : node.inputs)
    if (poisoned.count(name)) throw Unsupported{""};
  if (fold_constant(importer, node)) return;
  const auto row = table.find(node.op);
  if (row == table.end() || !node.domain.empty())
    throw Unsupported{node.domain.empty() ? "not supported"
                                          : "of domain " + node.domain + ", not supported"};
  if (node.outputs.empty()) throw Unsupported{"has no output"};
  for (size_t i = 1; i < node.outputs.size(); ++i)
    if (importer.uses.count(node.outputs[i]))
      throw Unsupported{fmt::format("its output {} is used", i)};
  for (const auto& name : node.inputs) {
    if (!name.empty() && !importer.views.count(name) && !importer.model.constants.count(name))
      throw Unsupported{fmt::format("reads '{}', which nothing before it writes", name)};
  }
  row->second->import(importer, node);
}

}  // namespace

graph::Graph import_model(onnx_file::Model from, const std::string& name) {
  Importer importer;
  importer.model = std::move(from);
  const auto& model = importer.model;
  if (model.opset < kFirstOpset || model.opset > kLastOpset)
    throw Error("{}: opset {} (supported: {} to {})", name, model.opset, kFirstOpset, kLastOpset);
  importer.graph.name = model.name;
  for (const auto& node : model.nodes)
    for (const auto& input : node.inputs) ++importer.uses[input];
  for (const auto& output : model.outputs) ++importer.uses[output];

  std::map<std::string, const OperatorRow*> table;
  auto rows = layer_operators();
  for (const auto& row : shape_operators()) rows.push_back(row);
  for (const auto& row : rows) table[row.op] = &row;

  std::string problems;
  std::set<std::string> poisoned;  // outputs of refused nodes: their readers are not to blame
  for (const auto& input : model.inputs) try {
      add_input(importer, input);
    } catch (const Unsupported& refused) {
      problems += fmt::format("\n  input '{}': {}", input.name, refused.reason);
      poisoned.insert(input.name);
    }
  for (const auto& node : model.nodes) {
    std::string reason;
    try {
      import_node(importer, node, table, poisoned);
      continue;
    } catch (const Unsupported& refused) {
      reason = refused.reason;
    } catch (const Error& error) {
      reason = error.what();
    }
    if (!reason.empty()) problems += fmt::format("\n  {} '{}': {}", node.op, node.name, reason);
    poisoned.insert(node.outputs.begin(), node.outputs.end());
  }
  for (const auto& output : model.outputs) {
    const auto view = importer.views.find(output);
    if (view != importer.views.end())
      importer.graph.outputs.push_back(view->second.value);
    else if (!poisoned.count(output))
      problems += fmt::format("\n  output '{}': nothing writes it", output);
  }
  for (const auto& v : importer.graph.values)
    if (v.elements() > kMaxElements)
      problems += fmt::format("\n  '{}': {} x {} x {} is too large", v.name, v.h, v.w, v.c);
  if (importer.graph.inputs.size() != 1 && problems.empty())
    problems += fmt::format("\n  {} inputs (must be one)", importer.graph.inputs.size());
  if (importer.graph.outputs.empty() && problems.empty()) problems += "\n  no outputs";
  if (!problems.empty()) throw Error("{}: cannot import:{}", name, problems);
  return std::move(importer.graph);
}

graph::Graph parse_onnx(std::span<const uint8_t> bytes, const std::string& name,
                        const std::string& folder) {
  graph::Graph graph = import_model(onnx_file::parse(bytes, name, folder), name);
  graph::simplify(graph);
  return graph;
}

graph::Graph read_onnx(const std::string& path) {
  return parse_onnx(read_file(path), path, std::filesystem::path(path).parent_path().string());
}

}  // namespace mcusim::import
