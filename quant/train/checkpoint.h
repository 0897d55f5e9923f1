// SPDX-License-Identifier: MIT
// A training run between two epochs: everything that the next epoch depends on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim::train {

// What one epoch showed.
struct EpochResult {
  double loss = 0;                  // mean over the training inputs
  double validation_loss = 0;
  uint64_t validation_correct = 0;
};

struct Checkpoint {
  uint64_t fingerprint = 0;         // of network, data and options
  std::vector<EpochResult> epochs;  // those finished
  // Equal numbers of values in every run of one fingerprint.
  std::vector<float> state, first_moments, second_moments, best_state;
};

// Atomic: the old file stays until the new one is whole.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);
// Throws Error when the file is not a whole checkpoint.
Checkpoint read_checkpoint(const std::string& path);

// FNV-1a over bytes, continued from `hash`.
uint64_t fingerprint(const void* bytes, size_t count, uint64_t hash = 0xCBF29CE484222325u);

}  // namespace mcusim::train
