// SPDX-License-Identifier: MIT
// Arm MPS2 AN500: the FPGA image starts with its clocks running; nothing to do.
#include "kernels/target/config.h"

namespace mcusim::target {

void board_init(const Config& config);

void board_init(const Config&) {}

}  // namespace mcusim::target
