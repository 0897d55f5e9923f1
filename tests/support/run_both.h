// SPDX-License-Identifier: MIT
// Runs a network on the host kernels and on the naive twin and compares.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/host/host_executor.h"
#include "kernels/reference/reference.h"
#include "tests/support/nets.h"

namespace mcusim::testing {

using reference::Values;

inline std::vector<Values> random_inputs(const IntNet& net, Random& random) {
  std::vector<Values> inputs;
  for (const int id : net.inputs) inputs.push_back(random_values(net.tensors[id], random));
  return inputs;
}

// All tensors after a run of the host kernels.
inline std::vector<Values> run_kernels(HostExecutor& executor, const std::vector<Values>& inputs) {
  const IntNet& net = executor.net();
  for (size_t i = 0; i < inputs.size(); ++i) executor.write_tensor(net.inputs[i], inputs[i]);
  executor.run();
  std::vector<Values> all;
  for (size_t id = 0; id < net.tensors.size(); ++id)
    all.push_back(executor.read_tensor(static_cast<int>(id)));
  return all;
}

// Fails naming the first difference. Every tensor must keep its value to the end,
// so the network's tensors must not share arena bytes.
inline void expect_equal_to_twin(const IntNet& net, const std::vector<Values>& inputs) {
  HostExecutor executor(encode(net));
  const std::vector<Values> kernels = run_kernels(executor, inputs);
  const std::vector<Values> twin = reference::run(net, inputs);
  for (size_t id = 0; id < net.tensors.size(); ++id) {
    if (kernels[id] == twin[id]) continue;
    const auto at = std::ranges::mismatch(kernels[id], twin[id]).in1 - kernels[id].begin();
    ADD_FAILURE() << net.name << ": tensor " << net.tensors[id].name << ", element " << at
                  << ": kernel " << int{kernels[id][at]} << ", twin " << int{twin[id][at]};
    return;
  }
}

inline void expect_equal_to_twin(const IntNet& net, Random& random) {
  expect_equal_to_twin(net, random_inputs(net, random));
}

}  // namespace mcusim::testing
