// SPDX-License-Identifier: MIT
// i.MX RT1062: the image is put into OCRAM by a boot loader or debugger, which has
// set clocks and FlexRAM by then; nothing to do.
#include "kernels/target/config.h"

namespace mcusim::target {

void board_init(const Config& config);

void board_init(const Config&) {}

}  // namespace mcusim::target
