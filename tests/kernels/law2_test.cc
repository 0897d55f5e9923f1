// SPDX-License-Identifier: MIT
// Law 2 on the host: for every row of the kernel table, random networks with odd
// shapes, all borders, views and extreme parameters give the twin's bytes.
#include "tests/support/run_both.h"

namespace mcusim {
namespace {

using testing::Random;

class Law2BitExactness : public ::testing::TestWithParam<uint32_t> {};

TEST_P(Law2BitExactness, HostKernelEqualsNaiveTwin) {
  const RowKey key = row_key(row_at(GetParam()).packed_key);
  Random random(GetParam() * 1000 + 7);
  for (int i = 0; i < 40 && !HasFailure(); ++i)
    testing::expect_equal_to_twin(testing::random_op(key, random), random);
}

INSTANTIATE_TEST_SUITE_P(EveryRow, Law2BitExactness, ::testing::Range(0u, row_count()),
                         [](const auto& row) { return std::string(row_at(row.param).name); });

}  // namespace
}  // namespace mcusim
