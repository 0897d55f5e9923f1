// SPDX-License-Identifier: MIT
// Scratch sizes, one function per family behind a table: a family whose kernel
// needs none has no row. Freestanding; contains no kernel row.
#include "kernels/scratch.h"

#include "kernels/ops/depthwise_plan.h"
#include "kernels/ops/matmul_layout.h"
#include "kernels/requant.h"

namespace mcusim {
namespace {

using SizeFn = uint64_t (*)(const net::Op&, const net::Tensor&, const net::Tensor&);
struct FamilyScratch {
  net::Family family;
  SizeFn bytes;
};

constexpr uint64_t round8(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

uint64_t conv_bytes(const net::Op& op, const net::Tensor& in0, const net::Tensor& out) {
  const matmul::Form& form = matmul::form_of(in0.bits, op.weight_bits);
  return matmul::plan_conv<uint64_t>(form, uint64_t{op.kernel_h} * op.kernel_w, in0.c, in0.bits,
                                     uint64_t{out.h} * out.w)
      .bytes;
}

// Lanes of one pixel, the records of one block, the K stream.
uint64_t fully_connected_bytes(const net::Op& op, const net::Tensor& in0, const net::Tensor&) {
  const matmul::Form& form = matmul::form_of(in0.bits, op.weight_bits);
  const uint64_t words =
      matmul::stream_words<uint64_t>(1, uint64_t{in0.h} * in0.w * in0.c, in0.bits);
  const uint64_t steps = matmul::lane_steps<uint64_t>(form, words, in0.bits);
  return round8((steps + 3) / 4 * 16 + matmul::kTail_bytes +
                2 * matmul::kFullyConnectedPairs * sizeof(Channel) + 4 * words);
}

uint64_t depthwise_bytes(const net::Op& op, const net::Tensor&, const net::Tensor& out) {
  return round8(ops::plan_depthwise(op, out).bytes);
}

constexpr FamilyScratch kFamilies[] = {
    {net::Family::conv, conv_bytes},
    {net::Family::pointwise, conv_bytes},
    {net::Family::depthwise, depthwise_bytes},
    {net::Family::fully_connected, fully_connected_bytes},
};

}  // namespace

uint64_t scratch_bytes(const net::Op& op, const net::Tensor& in0, const net::Tensor& out) {
  for (const FamilyScratch& f : kFamilies)
    if (static_cast<uint8_t>(f.family) == op.family) return f.bytes(op, in0, out);
  return 0;
}

}  // namespace mcusim
