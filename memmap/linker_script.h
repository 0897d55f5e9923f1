// SPDX-License-Identifier: MIT
// The linker script of a network image, printed from the board's data.
//
// Flash holds vectors, configuration, code, the container and the load image of
// what start-up copies to RAM (data, and kernels and container where the layout wants
// them there); the scratch region holds data, scratch and, at its end, the stack; the
// arena region holds the arena. Nothing else is placed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memmap/board.h"

namespace mcusim {

struct ImageLayout {
  std::string code_region, arena_region, scratch_region;
  std::string fast_code_region;         // kernels run from there; empty: from code_region
  std::string weights_region;           // the container is read there; empty: in code_region
  uint32_t arena_bytes = 0, scratch_bytes = 0, stack_bytes = 0;
  std::vector<uint32_t> config_words;   // kernels/target/config.h
};

// File names by which the script tells the linker's inputs apart.
inline constexpr const char* kContainerObject = "container.o";
inline constexpr const char* kInputObject = "input.o";
inline constexpr const char* kKernelArchive = "libmcusim_kernels.a";

// Regions are printed wide open: whether everything fits is judged after linking,
// where both numbers are known (sim/image).
std::string linker_script(const Board& board, const ImageLayout& layout);

}  // namespace mcusim
