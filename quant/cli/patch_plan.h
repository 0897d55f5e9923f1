// SPDX-License-Identifier: MIT
// `plan --patch`: which stage of tiles, what it saves and costs, and the widths of its
// feature maps (docs/patches.md).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace mcusim::net_cli {

struct PatchOptions {
  std::string patch;                 // PxP@n or auto; empty: no patches are planned
  bool quantmcu = false;
  double phi = 0.96, outlier_share = -1, lambda = -1, reduction = 2;

  void add_to(CLI::App& command);
};

// What the other options of `plan` say.
struct PatchRequest {
  std::string model, output;         // output: JSON, may be empty
  std::string board;                 // of auto
  uint64_t ram_bytes = 0;
  int least_bits = 2;
  std::string samples;               // selector of calibration inputs
};

void plan_patch(const PatchOptions& options, const PatchRequest& request);

}  // namespace mcusim::net_cli
