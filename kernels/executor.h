// SPDX-License-Identifier: MIT
// Runs the operators of a container in order, in place, with the kernel of each
// row. The same code drives the host and the firmware; only the port differs.
//
// Judging a file is the host's work (`validate`). The target checks what a wrong
// link could break: magic, version, sizes of arena and scratch, missing kernels.
// Freestanding: no heap, no exceptions, nothing written but arena and scratch.
#pragma once

#include <stdint.h>

#include "kernels/net_format.h"

namespace mcusim {

// Memory of one run. All pointers are 8-byte aligned.
struct RunSpace {
  const uint8_t* file;
  uint8_t* arena;
  uint32_t arena_bytes;
  uint8_t* scratch;
  uint32_t scratch_bytes;
};

// How the platform hears of layers: the host calls back, the firmware stores the
// index to ITM stimulus ports 1 and 2. Either function may be null.
struct ExecutorPort {
  void (*op_begin)(void* context, uint32_t op_index);
  void (*op_end)(void* context, uint32_t op_index);
  void* context;
};

// Also the firmware's exit code.
enum class RunStatus : uint32_t {
  ok = 0,
  bad_magic = 1,
  bad_version = 2,
  arena_too_small = 3,
  scratch_too_small = 4,
  missing_kernel = 5,
};

RunStatus run_network(const RunSpace& space, const ExecutorPort& port);

// The tables of a container in memory.
inline const net::Header& header_of(const uint8_t* file) {
  return *reinterpret_cast<const net::Header*>(file);
}
inline const net::Tensor* tensors_of(const uint8_t* file) {
  return reinterpret_cast<const net::Tensor*>(file + header_of(file).tensors_offset);
}
inline const net::Op* ops_of(const uint8_t* file) {
  return reinterpret_cast<const net::Op*>(file + header_of(file).ops_offset);
}
inline const uint16_t* inputs_of(const uint8_t* file) {
  return reinterpret_cast<const uint16_t*>(file + header_of(file).io_offset);
}
inline const uint16_t* outputs_of(const uint8_t* file) {
  return inputs_of(file) + header_of(file).input_count;
}

}  // namespace mcusim
