// SPDX-License-Identifier: MIT
// The kernel table: every row of rows.def with its key and function.
//
// On the target `fn` is a weak reference: null unless the image was linked with
// the row (`--require-defined`), and the table carries no names. The host links
// all rows. Freestanding.
#pragma once

#include "kernels/kernel_api.h"

namespace mcusim {

struct Row {
  uint32_t packed_key;
  KernelFn fn;
#if !defined(__arm__)
  const char* name;   // the symbol, as `image` gives it to the linker
#endif
};

constexpr uint32_t packed_key(const RowKey& k) {
  return static_cast<uint32_t>(k.family) << 16 | static_cast<uint32_t>(k.in_bits) << 12 |
         static_cast<uint32_t>(k.weight_bits) << 8 | static_cast<uint32_t>(k.out_bits) << 4 |
         static_cast<uint32_t>(k.contract);
}
constexpr RowKey row_key(uint32_t packed) {
  return {static_cast<net::Family>(packed >> 16), static_cast<uint8_t>(packed >> 12 & 15),
          static_cast<uint8_t>(packed >> 8 & 15), static_cast<uint8_t>(packed >> 4 & 15),
          static_cast<net::Contract>(packed & 15)};
}

// The key an operator asks for.
constexpr RowKey row_key(const net::Op& op, const net::Tensor& in0, const net::Tensor& out) {
  return {static_cast<net::Family>(op.family), in0.bits, op.weight_bits, out.bits,
          static_cast<net::Contract>(op.contract)};
}

// Null when no such row exists; a row whose `fn` is null was not linked.
const Row* find_row(const RowKey& key);

uint32_t row_count();
const Row& row_at(uint32_t index);  // index < row_count()

}  // namespace mcusim
