// SPDX-License-Identifier: MIT
// One operator as a network: every row of the kernel table at representative shapes,
// with parameters as trained layers have them (none takes the exact requantisation
// path). Same case, same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "kernels/kernel_table.h"

namespace mcusim::bench {

// Shapes of issue-sized layers, one or more per family; SAME padding where the
// family slides a window over padded inputs.
struct Shape {
  net::Family family;
  uint32_t h, w, c;                    // input
  uint32_t kernel, stride, out_c;
  bool only_8_bit_input = false;       // an image: the first layer of a network
};

struct Case {
  RowKey key;
  Shape shape;
  bool per_channel = true;             // zero points and factors of the weights

  std::string row() const;             // "pointwise_a8w8y8_icn"
  std::string layer() const;           // "14x14x256 to 256", "k3 s2 56x56x32"
  std::string name() const;            // "pointwise_a8w8y8_icn/14x14x256_256/pc"
};

// Rows in the table's order, each at every shape of its family, weighted ones per
// channel and per layer.
std::vector<Case> kernel_cases();

IntNet make_net(const Case& which);

}  // namespace mcusim::bench
