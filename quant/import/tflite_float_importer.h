// SPDX-License-Identifier: MIT
// State of one import of a float network from TensorFlow Lite and what operator
// handlers may ask of it; a handler appends nodes or throws Error with the reason.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quant/graph/graph.h"
#include "quant/import/tflite_importer.h"

namespace mcusim::import {

class TfliteFloatImporter {
 public:
  using Reals = std::vector<float>;

  explicit TfliteFloatImporter(const TfliteModel& from);

  const TfliteModel& model;
  graph::Graph graph;

  const TfliteTensor& tensor(int id) const { return model.tensors[static_cast<size_t>(id)]; }
  const std::vector<const TfliteOp*>& readers(int id) const {
    return readers_[static_cast<size_t>(id)];
  }
  std::string short_name(int id) const { return tflite_short_name(tensor(id), prefix_); }
  bool is_constant(int id) const {
    return id >= 0 && (tensor(id).constant() || constants_[static_cast<size_t>(id)]);
  }
  bool is_output(int id) const;

  // The graph's value behind a tensor, -1 when nothing wrote it yet.
  int value_of(int id) const { return values_[static_cast<size_t>(id)]; }
  const graph::Value& at(int value) const { return graph.values[static_cast<size_t>(value)]; }
  // The graph's value behind input i of the operator.
  int input(const TfliteOp& op, size_t i) const;
  void set_output(const TfliteOp& op, int value);
  // True when a refused operator makes an input; then this one is refused in silence.
  bool reads_refused(const TfliteOp& op) const;
  void refuse(const TfliteOp& op);

  // A constant as real numbers, from whatever it is stored in.
  Reals constant(int id, const char* role) const;
  void set_constant(int id, Reals reals) { constants_[static_cast<size_t>(id)] = std::move(reals); }

  // Appends a node that makes the operator's output, of the shape the file gives.
  graph::Node& append(const TfliteOp& op, graph::Kind kind, int in);
  void expect_shape(const graph::Node& node, uint32_t h, uint32_t w, uint32_t c) const;
  // A fused activation: a clamp behind the last node, which takes the output's place.
  void activate(const TfliteOp& op, tflite::Activation activation);

 private:
  int add_value(int id);

  std::vector<int> values_;                      // by tensor
  std::vector<bool> refused_;                    // by tensor
  std::vector<std::optional<Reals>> constants_;  // by tensor: dequantised ones
  std::vector<std::vector<const TfliteOp*>> readers_;
  std::string prefix_;
};

}  // namespace mcusim::import
