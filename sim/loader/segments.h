// SPDX-License-Identifier: MIT
// What the three readers share: collecting segments and the final check that
// they are sorted, inside the address space and do not overlap.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/loader/program.h"

namespace mcusim {

void add_segment(Program& program, uint32_t address, std::vector<uint8_t> bytes);
void finish_program(Program& program);

}  // namespace mcusim
