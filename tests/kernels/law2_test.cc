// SPDX-License-Identifier: MIT
// Law 2 on the host: for every row of the kernel table, random networks with odd
// shapes, all borders, views and extreme parameters give the twin's bytes.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/host/host_executor.h"
#include "kernels/reference/reference.h"
#include "tests/support/nets.h"

namespace mcusim {
namespace {

using reference::Values;
using testing::Random;

// Runs on both and compares every tensor, also those the operator must not touch.
void expect_equal_to_twin(const IntNet& net, Random& random) {
  HostExecutor executor(encode(net));
  std::vector<Values> inputs;
  for (const int id : net.inputs) {
    inputs.push_back(testing::random_values(net.tensors[id], random));
    executor.write_tensor(id, inputs.back());
  }
  const std::vector<Values> twin = reference::run(net, inputs);
  executor.run();
  for (size_t id = 0; id < net.tensors.size(); ++id) {
    const Values values = executor.read_tensor(static_cast<int>(id));
    if (values == twin[id]) continue;
    const auto at = std::ranges::mismatch(values, twin[id]).in1 - values.begin();
    ADD_FAILURE() << net.name << ": tensor " << net.tensors[id].name << ", element " << at
                  << ": kernel " << int{values[at]} << ", twin " << int{twin[id][at]};
    return;
  }
}

class Law2BitExactness : public ::testing::TestWithParam<uint32_t> {};

TEST_P(Law2BitExactness, HostKernelEqualsNaiveTwin) {
  const Row& row = row_at(GetParam());
  Random random(GetParam() * 1000 + 7);
  for (int i = 0; i < 40 && !HasFailure(); ++i)
    expect_equal_to_twin(testing::random_op(row_key(row.packed_key), random), random);
}

INSTANTIATE_TEST_SUITE_P(EveryRow, Law2BitExactness, ::testing::Range(0u, row_count()),
                         [](const auto& row) { return std::string(row_at(row.param).name); });

}  // namespace
}  // namespace mcusim
