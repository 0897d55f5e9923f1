// SPDX-License-Identifier: MIT
// The container: what `encode` writes, `decode` reads back; a damaged file is
// refused by name; whatever the validator accepts runs without leaving its memory.
// The last claim has its full force in a build with MCUSIM_SANITIZE.
#include <gmock/gmock.h>

#include <cstring>

#include "kernels/executor.h"
#include "kernels/host/container.h"
#include "memmap/base/error.h"
#include "tests/support/run_both.h"

namespace mcusim {
namespace {

using testing::Random;
using testing::Values;
using Bytes = std::vector<uint8_t>;
using ::testing::HasSubstr;

// One operator of every family and contract, odd widths mixed, in one network.
IntNet one_of_each(uint64_t seed) {
  Random random(seed);
  IntNet all;
  all.name = "one of each";
  const RowKey keys[] = {
      {net::Family::conv, 8, 4, 4, net::Contract::icn_floor},
      {net::Family::conv, 4, 2, 2, net::Contract::thresholds},
      {net::Family::pointwise, 8, 8, 8, net::Contract::tflite},
      {net::Family::depthwise, 2, 8, 4, net::Contract::icn_floor},
      {net::Family::fully_connected, 4, 4, 8, net::Contract::icn_floor},
      {net::Family::avg_pool, 8, 0, 8, net::Contract::tflite},
      {net::Family::avg_pool, 4, 0, 2, net::Contract::icn_floor},
      {net::Family::max_pool, 4, 0, 4, net::Contract::none},
      {net::Family::add, 4, 0, 8, net::Contract::icn_floor},
      {net::Family::pad, 2, 0, 2, net::Contract::none},
      {net::Family::reshape, 8, 0, 8, net::Contract::none},
  };
  for (const RowKey& key : keys) testing::append(all, testing::random_op(key, random, {.small = true}));
  return all;
}

void seal(Bytes& file) {
  const uint32_t crc = container_crc(file);
  std::memcpy(file.data() + offsetof(net::Header, crc32), &crc, sizeof crc);
}

template <typename T>
void poke(Bytes& file, size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
  seal(file);
}

// The sentence of the refusal; empty when the file is accepted.
std::string refusal(const Bytes& file) {
  try {
    validate(file.data(), file.size());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const net::Header& header(const Bytes& file) { return header_of(file.data()); }

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

TEST(Container, TruncationIsRefusedAtEveryLength) {
  const Bytes file = encode(one_of_each(4));
  for (size_t length = 0; length < file.size(); length += 64) {
    const Bytes cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_NE(refusal(cut), "") << length;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_THAT(refusal(longer), HasSubstr("file_bytes"));
}

TEST(Container, AnotherVersionOrFileIsNamed) {
  Bytes file = encode(one_of_each(4));
  poke(file, offsetof(net::Header, version), uint16_t{2});
  EXPECT_THAT(refusal(file), HasSubstr("version: 2, this program reads 1"));
  EXPECT_THAT(refusal(Bytes(200, 0x55)), HasSubstr("magic"));
}

TEST(Container, AFlippedBitWithoutTheChecksumIsRefused) {
  const Bytes file = encode(one_of_each(5));
  Random random(5);
  for (int i = 0; i < 200; ++i) {
    Bytes damaged = file;
    const auto at = static_cast<size_t>(random.in(0, static_cast<int64_t>(file.size()) - 1));
    damaged[at] = static_cast<uint8_t>(damaged[at] ^ 1u << random.in(0, 7));
    EXPECT_NE(refusal(damaged), "") << at;
  }
}

// Poking one field of a table, checksum recomputed: the sentence names the field.
struct Poke {
  const char* name;
  size_t offset;      // within the entry
  uint32_t value;
  size_t bytes;
  const char* sentence;
};

void expect_refusals(const Bytes& file, size_t entry, const std::vector<Poke>& pokes) {
  for (const Poke& p : pokes) {
    Bytes bad = file;
    std::memcpy(bad.data() + entry + p.offset, &p.value, p.bytes);
    seal(bad);
    EXPECT_THAT(refusal(bad), HasSubstr(p.sentence)) << p.name;
  }
}

IntNet one_conv() {
  Random random(11);
  for (;;) {
    IntNet net = testing::random_op({net::Family::conv, 8, 4, 4, net::Contract::icn_floor}, random);
    if (net.tensors.size() == 2 && net.ops[0].weight_zero_points.size() > 1) return net;
  }
}

TEST(Container, TensorFieldsAreJudged) {
  using net::Tensor;
  const Bytes file = encode(one_conv());
  const uint32_t nan = 0x7FC00000, zero = 0, minus_one = 0xBF800000;
  expect_refusals(
      file, header(file).tensors_offset,
      {{"zero side", offsetof(Tensor, h), 0, 4, "side outside"},
       {"huge side", offsetof(Tensor, w), 0x10000, 4, "side outside"},
       {"wider", offsetof(Tensor, c), 65535, 4, "strides"},
       {"width", offsetof(Tensor, bits), 3, 1, "bits: 3"},
       {"flags", offsetof(Tensor, flags), 4, 1, "flags"},
       {"own parent", offsetof(Tensor, parent), 0, 2, "does not come before"},
       {"zero point", offsetof(Tensor, zero_point), 256, 4, "zero_point: 256"},
       {"scale nan", offsetof(Tensor, scale), nan, 4, "scale"},
       {"scale 0", offsetof(Tensor, scale), zero, 4, "scale"},
       {"scale -1", offsetof(Tensor, scale), minus_one, 4, "scale"},
       {"offset", offsetof(Tensor, arena_offset), 0x7FFFFFFF, 4, "leave the arena"},
       {"offset wraps", offsetof(Tensor, arena_offset), 0xFFFFFFFF, 4, "leave the arena"},
       {"row stride", offsetof(Tensor, row_stride_bytes), 1, 4, "strides"},
       {"pixel stride", offsetof(Tensor, pixel_stride_bytes), 0, 4, "strides"},
       {"name", offsetof(Tensor, name), 0xFFFFFF, 4, "name"}});
}

TEST(Container, OperatorFieldsAreJudged) {
  using net::Op;
  const Bytes file = encode(one_conv());
  expect_refusals(
      file, header(file).ops_offset,
      {{"kind", offsetof(Op, kind), 99, 1, "kind: 99"},
       {"contract", offsetof(Op, contract), 0, 1, "contract: 0"},
       {"contract", offsetof(Op, contract), 200, 1, "contract: 200"},
       {"family", offsetof(Op, family), 2, 1, "family: 2"},
       {"flags", offsetof(Op, flags), 0x80, 1, "flags"},
       {"weight bits", offsetof(Op, weight_bits), 5, 1, "weight_bits: 5"},
       {"layout", offsetof(Op, layout), 999, 2, "layout: 999"},
       {"in0", offsetof(Op, in0), 7, 2, "in0: tensor 7"},
       {"in1", offsetof(Op, in1), 0, 2, "in1"},
       {"out", offsetof(Op, out), 0xFFFF, 2, "out: tensor 65535"},
       {"kernel 0", offsetof(Op, kernel_h), 0, 2, "kernel 0"},
       {"stride 0", offsetof(Op, stride_w), 0, 2, "stride 0"},
       {"padding", offsetof(Op, pad_top), 0xFFFF, 2, "padding"},
       {"clamp", offsetof(Op, act_max), 255, 4, "clamp"},
       {"weights size", offsetof(Op, weights_bytes), 1, 4, "weights_bytes"},
       {"weights place", offsetof(Op, weights_offset), 0xFFFFFFF8, 4, "weights_offset"},
       {"bias place", offsetof(Op, bias_offset), 0, 4, "bias_offset"},
       {"mult unaligned", offsetof(Op, mult_offset), header(file).blobs_offset + 4, 4, "mult_offset"},
       {"unused blob", offsetof(Op, thresholds_offset), 8, 4, "thresholds_offset"},
       {"reserved", offsetof(Op, reserved0), 1, 1, "reserved0"},
       {"scalar", offsetof(Op, scalar_mult), 1, 4, "scalar_mult[0]"}});
}

TEST(Container, HeaderFieldsAreJudged) {
  using net::Header;
  const Bytes file = encode(one_conv());
  expect_refusals(file, 0,
                  {{"header", offsetof(Header, header_bytes), 80, 2, "header_bytes: 80"},
                   {"flags", offsetof(Header, flags), 0x100, 4, "flags"},
                   {"no tensors", offsetof(Header, tensor_count), 0, 2, "tensor_count"},
                   {"many tensors", offsetof(Header, tensor_count), 0xFFFF, 2, "tensor_count"},
                   {"many ops", offsetof(Header, op_count), 100, 2, "reach past the end"},
                   {"inputs", offsetof(Header, input_count), 0, 2, "input_count"},
                   {"tensors", offsetof(Header, tensors_offset), 0, 4, "tensors_offset"},
                   {"ops", offsetof(Header, ops_offset), 0xFFFFFFF8, 4, "ops_offset"},
                   {"strings", offsetof(Header, strings_bytes), 0xFFFFFFFF, 4, "reach past the end"},
                   {"blobs", offsetof(Header, blobs_bytes), 8, 4, "blobs_bytes"},
                   {"arena", offsetof(Header, arena_bytes), 1, 4, "leave the arena"},
                   {"arena", offsetof(Header, arena_bytes), 0xFFFFFFFF, 4, "arena_bytes"},
                   {"scratch", offsetof(Header, scratch_bytes), 0xFFFFFFFF, 4, "scratch_bytes"},
                   {"reserved", offsetof(Header, reserved), 1, 4, "reserved"}});
}

// The rules of order: reading what nothing wrote, writing over one's own input.
TEST(Container, ScheduleIsJudged) {
  IntNet net = one_conv();
  net.tensors[net.ops[0].out].arena_offset = net.tensors[net.ops[0].in0].arena_offset;
  EXPECT_THROW(encode(net), Error);
  try {
    encode(net);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("writes over its own input"));
  }
  net = one_conv();
  net.inputs = net.outputs;
  try {
    encode(net);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("never written"));
  }
}

// Damages a few places: a flipped bit, a random byte, or a field set to a value
// at the edge of something or moved by one.
void damage(Bytes& file, size_t end, Random& random) {
  const auto last = static_cast<int64_t>(end) - 1;
  for (int64_t places = random.in(1, 3); places > 0; --places) {
    const auto at = static_cast<size_t>(random.in(0, last));
    const auto field = at / 4 * 4;
    uint32_t word = 0;
    std::memcpy(&word, file.data() + std::min(field, file.size() - 4), sizeof word);
    constexpr uint32_t kEdges[] = {0,      1,          0x7F,       0x80,       0xFF,      0x100,
                                   0xFFFF, 0x10000,    0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF8};
    switch (random.in(0, 4)) {
      case 0: file[at] = static_cast<uint8_t>(file[at] ^ 1u << random.in(0, 7)); continue;
      case 1: file[at] = static_cast<uint8_t>(random.in(0, 255)); continue;
      case 2: word = kEdges[random.in(0, 11)]; break;
      case 3: word += random.coin() ? 1u : ~0u; break;
      default: word += random.coin() ? 0x10000u : ~0xFFFFu; break;  // the upper half by one
    }
    std::memcpy(file.data() + std::min(field, file.size() - 4), &word, sizeof word);
  }
  seal(file);
}

// The validator judges damaged files with a good checksum, and what it accepts
// runs and equals the twin. Nothing is asserted about which files are accepted.
TEST(Container, FuzzedFilesAreRefusedOrRunInsideTheirMemory) {
  Random random(99);
  int accepted = 0, refused = 0;
  for (uint64_t round = 0; round < 100; ++round) {
    const Bytes file = encode(one_of_each(100 + round));
    for (int i = 0; i < 100; ++i) {
      Bytes damaged = file;
      damage(damaged, random.coin(4) ? file.size() : header(file).blobs_offset, random);
      if (!refusal(damaged).empty()) {
        ++refused;
        continue;
      }
      ++accepted;
      HostExecutor executor(damaged);
      const auto inputs = testing::random_inputs(executor.net(), random);
      const auto kernels = testing::run_kernels(executor, inputs);
      const auto twin = reference::run(executor.net(), inputs);
      for (const int id : executor.net().outputs)
        EXPECT_EQ(kernels[id], twin[id]) << executor.net().tensors[id].name;
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace mcusim
