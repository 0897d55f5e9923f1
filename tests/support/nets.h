// SPDX-License-Identifier: MIT
// Random small networks for the tests of kernels, container and image: one
// operator each, or many independent ones in one network. Deterministic by seed.
// Accumulators stay inside the packer's bound, as the contracts require.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "kernels/kernel_table.h"

namespace mcusim::testing {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // Uniform in first..last, both included.
  int64_t in(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(engine_() % (static_cast<uint64_t>(last - first) + 1));
  }
  bool coin(int one_in = 2) { return in(1, one_in) == 1; }

 private:
  std::mt19937_64 engine_;
};

// A network of one operator on the row `key`; shape and parameters by `random`.
// Its layer name tells row and shape.
IntNet random_op(const RowKey& key, Random& random);

// What a test may ask of random_op beyond the row.
struct OpWish {
  bool small = false;    // few elements, for emulated runs
  bool deep = false;     // sums longer than one chunk of a matrix core, few outputs
  bool per_channel = true, per_layer = true;  // which weight zero points may occur
};
IntNet random_op(const RowKey& key, Random& random, const OpWish& wish);

// Adds the operators and tensors of `part` to `all`, each with arena space of its
// own, so that many rows fit one image.
void append(IntNet& all, const IntNet& part);

// Gives every root tensor its own place.
void place_apart(IntNet& net);

// Random stored values; extremes (all 0, all maximum) now and then.
std::vector<uint8_t> random_values(const IntTensor& tensor, Random& random);

// Output side of a window.
uint32_t window_out(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t before, uint32_t after);

}  // namespace mcusim::testing
