// SPDX-License-Identifier: MIT
// What a kernel row is: one function, one argument block, found by its key.
//
// Rows are listed in kernels/rows.def, one line each; each row becomes one
// object file in the firmware archive, so a network links only what it names.
// Freestanding.
#pragma once

#include <stdint.h>

#include "kernels/net_format.h"

namespace mcusim {

// Everything a kernel may touch. Preconditions (checked by the validator before
// a run, never by a kernel): ids, shapes, offsets, layouts and sizes agree.
struct KernelCall {
  const net::Op* op;
  const net::Tensor* in0;
  const net::Tensor* in1;   // nullptr unless the operator is binary
  const net::Tensor* out;
  const uint8_t* file;      // start of the container; blob offsets count from here
  uint8_t* arena;           // 8-byte aligned; tensor offsets count from here
  uint8_t* scratch;         // 8-byte aligned; scratch_bytes(op) bytes, fast memory
};

using KernelFn = void (*)(const KernelCall&);

// Key of a row. Widths are 0 where a family does not depend on them.
struct RowKey {
  net::Family family;
  uint8_t in_bits, weight_bits, out_bits;
  net::Contract contract;
};

constexpr bool operator==(const RowKey& a, const RowKey& b) {
  return a.family == b.family && a.in_bits == b.in_bits && a.weight_bits == b.weight_bits &&
         a.out_bits == b.out_bits && a.contract == b.contract;
}

}  // namespace mcusim
