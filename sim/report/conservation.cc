// SPDX-License-Identifier: MIT
// Law 1, asserted on every report before it is shown.
#include <numeric>

#include "memmap/base/error.h"
#include "sim/report/report.h"

namespace mcusim::report {
namespace {

uint64_t sum(const CauseCycles& causes) {
  return std::accumulate(causes.begin(), causes.end(), uint64_t{0});
}

template <typename Rows>
void check_rows(const Run& run, const Rows& rows, const char* law) {
  uint64_t cycles = 0, instructions = 0;
  CauseCycles causes{};
  for (const auto& row : rows) {
    cycles += row.cycles;
    instructions += row.instructions;
    for (size_t i = 0; i < kCauseCount; ++i) causes[i] += row.causes[i];
    check(sum(row.causes) == row.cycles, law);
  }
  check(cycles == run.cycles && instructions == run.instructions && causes == run.causes, law);
}

}  // namespace

void check_conservation(const Run& run) {
  if (run.timing_table.empty()) return;
  check(sum(run.causes) == run.cycles, "cycles equal the sum of their causes");
  if (run.is_network) check_rows(run, run.layers, "cycles equal the sum over layers");
  check_rows(run, run.functions, "cycles equal the sum over functions");
}

}  // namespace mcusim::report
