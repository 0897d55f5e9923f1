// SPDX-License-Identifier: MIT
// Where the cross linker and its libraries are.
#pragma once

#include <string>

#include "memmap/base/process.h"

namespace mcusim {

struct CrossTools {
  std::string linker;              // arm-none-eabi-ld
  std::string libgcc, libc;        // of thumb/v7e-m+dp/hard
};

// As found when mcusim was built, else by asking arm-none-eabi-g++; throws Error
// naming the Debian packages when there is none.
CrossTools find_cross_tools();

}  // namespace mcusim
