// SPDX-License-Identifier: MIT
// The results of a sweep as text, CSV and JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/report.h"

namespace mcusim::report {

// One point of the matrix; figures are 0 where `reason` says why it did not run.
struct SweepRow {
  std::string board, code, weights, arena, scratch;   // regions
  uint64_t core_hz = 0;
  bool caches = true;
  std::string reason;
  // The inference is everything behind start-up, which also copies code and weights
  // to RAM: once per power-on, not once per inference.
  uint64_t startup_cycles = 0, inference_cycles = 0, inference_instructions = 0, macs = 0;
  uint64_t image_bytes = 0, arena_bytes = 0, weights_ram_bytes = 0, kernels_ram_bytes = 0;
  uint64_t stack_bytes = 0;
  std::string timing_table, error_band;

  bool ran() const { return reason.empty(); }
  double inference_ms() const {
    return core_hz ? static_cast<double>(inference_cycles) * 1e3 / static_cast<double>(core_hz) : 0;
  }
};

// The figures of a run; what the point asked for is the caller's.
SweepRow sweep_row(const Run& run);

std::string sweep_text(const std::vector<SweepRow>& rows);
std::string sweep_csv(const std::vector<SweepRow>& rows);
std::string sweep_json(const std::vector<SweepRow>& rows, const std::string& program, const std::string& input);

}  // namespace mcusim::report
