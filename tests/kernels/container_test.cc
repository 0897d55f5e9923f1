// SPDX-License-Identifier: MIT
// What `encode` writes, `decode` reads back, within the sizes the format promises.
#include "tests/kernels/container_bytes.h"

namespace mcusim {
namespace {

using testing::Bytes;
using testing::one_of_each;

void expect_same(const IntNet& a, const IntNet& b) {
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  ASSERT_EQ(a.ops.size(), b.ops.size());
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  EXPECT_EQ(a.arena_bytes, b.arena_bytes);
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const IntTensor &p = a.tensors[i], &q = b.tensors[i];
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(std::tuple(p.h, p.w, p.c, p.bits, p.signed_view, p.zero_point, p.scale, p.parent),
              std::tuple(q.h, q.w, q.c, q.bits, q.signed_view, q.zero_point, q.scale, q.parent));
    EXPECT_EQ(std::tuple(p.origin_y, p.origin_x, p.origin_c),
              std::tuple(q.origin_y, q.origin_x, q.origin_c));
  }
  for (size_t i = 0; i < a.ops.size(); ++i) {
    const IntOp &p = a.ops[i], &q = b.ops[i];
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(std::tuple(p.kind, p.contract, p.in0, p.in1, p.out, p.layer_id, p.half_step),
              std::tuple(q.kind, q.contract, q.in0, q.in1, q.out, q.layer_id, q.half_step));
    EXPECT_EQ(std::tuple(p.kernel_h, p.kernel_w, p.stride_h, p.stride_w),
              std::tuple(q.kernel_h, q.kernel_w, q.stride_h, q.stride_w));
    EXPECT_EQ(std::tuple(p.pad_top, p.pad_left, p.pad_bottom, p.pad_right),
              std::tuple(q.pad_top, q.pad_left, q.pad_bottom, q.pad_right));
    EXPECT_EQ(std::tuple(p.act_min, p.act_max), std::tuple(q.act_min, q.act_max));
    EXPECT_EQ(p.weight_bits, q.weight_bits);
    EXPECT_EQ(p.weights, q.weights);
    EXPECT_EQ(p.weight_zero_points, q.weight_zero_points);
    EXPECT_EQ(p.bias, q.bias);
    EXPECT_EQ(p.mult, q.mult);
    EXPECT_EQ(p.shift, q.shift);
    EXPECT_EQ(p.thresholds, q.thresholds);
    EXPECT_EQ(p.directions, q.directions);
    for (int k = 0; k < 3; ++k) {
      EXPECT_EQ(p.scalar_mult[k], q.scalar_mult[k]);
      EXPECT_EQ(p.scalar_shift[k], q.scalar_shift[k]);
    }
  }
}

TEST(Container, DecodeGivesBackWhatEncodeTook) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const IntNet net = one_of_each(seed);
    const Bytes file = encode(net);
    const IntNet back = decode(file.data(), file.size());
    expect_same(net, back);
    EXPECT_EQ(encode(back), file);
  }
}

TEST(Container, EveryBlobIsAlignedAndCounted) {
  const Bytes file = encode(one_of_each(2));
  const Container c = read_container(file);
  EXPECT_EQ(c.header.file_bytes, file.size());
  for (const net::Op& op : c.ops)
    for (const BlobRef& blob : blobs_of(op, c.tensors[op.out], op.weights_bytes))
      EXPECT_EQ((op.*blob.offset) % 8, 0u) << blob.name;
}

// At most 12 bytes of parameters per channel (thresholds apart).
TEST(Container, ParametersTakeAtMostTwelveBytesPerChannel) {
  const Bytes file = encode(one_of_each(3));
  const Container c = read_container(file);
  for (const net::Op& op : c.ops) {
    if (static_cast<net::Contract>(op.contract) == net::Contract::thresholds) continue;
    uint64_t bytes = 0;
    for (const BlobRef& blob : blobs_of(op, c.tensors[op.out], op.weights_bytes))
      if (blob.required && blob.offset != &net::Op::weights_offset) bytes += blob.bytes;
    EXPECT_LE(bytes, 12u * c.tensors[op.out].c);
  }
}

}  // namespace
}  // namespace mcusim
