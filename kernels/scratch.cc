// SPDX-License-Identifier: MIT
// Scratch sizes, one function per family behind a table: a family whose kernel
// needs none has no row. Freestanding; contains no kernel row.
#include "kernels/scratch.h"

namespace mcusim {
namespace {

using SizeFn = uint64_t (*)(const net::Op&, const net::Tensor&, const net::Tensor&);
struct FamilyScratch {
  net::Family family;
  SizeFn bytes;
};

constexpr uint64_t none(const net::Op&, const net::Tensor&, const net::Tensor&) { return 0; }

constexpr FamilyScratch kFamilies[] = {
    {net::Family::conv, none},
    {net::Family::pointwise, none},
    {net::Family::fully_connected, none},
};

}  // namespace

uint64_t scratch_bytes(const net::Op& op, const net::Tensor& in0, const net::Tensor& out) {
  for (const FamilyScratch& f : kFamilies)
    if (static_cast<uint8_t>(f.family) == op.family) return f.bytes(op, in0, out);
  return 0;
}

}  // namespace mcusim
