// SPDX-License-Identifier: MIT
// A small network with every kind of layer that trains, and data it can learn:
// three classes by where the input is bright.
#pragma once

#include "quant/plan/problem.h"
#include "quant/quantise/compare.h"
#include "quant/train/prepare.h"
#include "quant/zoo/builder.h"
#include "quant/zoo/random.h"
#include "quant/zoo/rule_weights.h"

namespace mcusim::train {

inline graph::Graph little_graph() {
  zoo::Builder builder("little", 8, 3);
  const int first = builder.conv("first", builder.input(), 8, 3, 2);
  const int depthwise = builder.conv("depthwise", first, 8, 3, 1, 0);
  const int linear = builder.conv("linear", depthwise, 8, 1, 1, 1, true);
  const int sum = builder.add("sum", first, linear);
  const int last = builder.conv("last", sum, 12, 1, 1);
  auto graph = builder.finish(
      builder.fully_connected("classes", builder.global_average("pool", last), 3));
  zoo::fill_weights(graph, 5);
  return graph;
}

struct LittleNet {
  LittleNet() {
    zoo::Random random(11);
    for (int i = 0; i < 60; ++i) {
      const int label = i % 3;
      std::vector<uint8_t> stored(8 * 8 * 3);
      for (size_t k = 0; k < stored.size(); ++k)
        stored[k] = static_cast<uint8_t>(random.integer(90, 160) +
                                         (static_cast<int>(k) % 3 == label ? 40 : 0));
      auto& examples = i < 45 ? training : validation;
      examples.inputs.push_back(on_grid(stored, input));
      examples.labels.push_back(label);
      if (i < 45) stored_training.push_back({examples.inputs.back(), stored});
    }
  }

  graph::Graph graph = little_graph();
  graph::LayerGraph layers = graph::fuse(graph);
  plan::Problem problem = plan::problem_of(graph, layers);
  quantise::Affine input{1.0f / 64, 128};
  Examples training, validation;
  std::vector<quantise::Sample> stored_training;
};

}  // namespace mcusim::train
