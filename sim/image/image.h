// SPDX-License-Identifier: MIT
// From container and board to a firmware ELF: links start-up, executor and only
// the kernel rows the network names. No compiler runs; same input, same bytes.
// An image that does not fit is refused here, with both numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "memmap/board.h"

namespace mcusim {

struct ImageOptions {
  // Region names; empty: the board's. kernels_region moves the kernels' code, and
  // weights_region the container, to a RAM that start-up fills from flash.
  std::string code_region, kernels_region, weights_region, arena_region, scratch_region;
  bool caches = true;                // start-up enables them
  uint64_t core_hz = 0;              // a clock preset; 0: the board's first
  uint64_t flash_limit_bytes = 0;    // 0: the region's size
  uint64_t ram_limit_bytes = 0;      // arena; 0: the region's size
  std::vector<uint8_t> input;        // inputs' pixels in order, packed; empty: none linked
  bool dump_outputs = false;         // print outputs as hex through semihosting
  bool print_cycles = false;         // print each operator's CYCCNT cycles likewise
};

// Where everything went; what the report compares its peaks with.
struct ImageFacts {
  std::string board, code_region, kernels_region, weights_region, arena_region, scratch_region;
  uint64_t core_hz = 0;
  uint32_t image_bytes = 0;          // sum of the load segments' bytes in flash
  uint32_t container_bytes = 0, code_bytes = 0;  // image = container + code (+ padding, input)
  uint32_t kernels_bytes = 0;        // of kernels_region, when one was named
  uint32_t weights_base = 0;         // where the container is read
  uint32_t arena_base = 0, arena_bytes = 0;
  uint32_t scratch_base = 0, scratch_bytes = 0;
  uint32_t scratch_region_bytes = 0;  // data + scratch + stack reservation
  uint32_t stack_limit = 0, stack_top = 0;
  uint64_t flash_limit_bytes = 0, arena_limit_bytes = 0, scratch_limit_bytes = 0;
  std::vector<std::string> rows;     // kernel rows linked, in name order
};

// Places "code=itcm,weights=AXI_SRAM,arena=SRAM1,..." into options; region names ignore
// case and `flash` means the board's code region. Throws UsageError naming what it
// cannot place.
void apply_placement(const Board& board, const std::string& text, ImageOptions& options);

// Validates the container, links, checks sizes, writes `out_path`.
ImageFacts build_image(std::span<const uint8_t> container, const Board& board,
                       const ImageOptions& options, const std::string& out_path);

}  // namespace mcusim
