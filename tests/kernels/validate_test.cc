// SPDX-License-Identifier: MIT
// Every rule of the validator refuses what breaks it, and its sentence names the
// field. Checksums are recomputed, so that the rules have to judge.
#include "tests/kernels/container_bytes.h"

namespace mcusim {
namespace {

using testing::Bytes;
using testing::header;
using testing::Random;
using testing::refusal;
using testing::seal;
using ::testing::HasSubstr;

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

TEST(Validate, TensorFieldsAreJudged) {
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

TEST(Validate, OperatorFieldsAreJudged) {
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

TEST(Validate, HeaderFieldsAreJudged) {
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

// The sentence with which `encode` refuses a network.
std::string encode_refusal(const IntNet& net) {
  try {
    encode(net);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

IntNet one_pad(uint8_t bits) {
  Random random(13);
  for (;;) {
    IntNet net = testing::random_op({net::Family::pad, bits, 0, bits, net::Contract::none}, random);
    if (net.tensors.size() == 2 && net.tensors[0].h > 1 && net.tensors[0].w > 1) return net;
  }
}

TEST(Validate, ViewsAreJudged) {
  const auto with_view = [](auto change) {
    IntNet net = one_pad(4);
    IntTensor whole = net.tensors[0];
    whole.h += 3;
    whole.w += 3;
    whole.c += 8;
    net.tensors[0].origin_y = net.tensors[0].origin_x = 1;
    net.tensors[0].origin_c = 2;
    net.tensors[0].parent = 0;
    if (net.tensors[0].c % 2) net.tensors[0].origin_c = 8;  // ends with its parent
    net.tensors.insert(net.tensors.begin(), whole);
    net.ops[0].in0 = 1;
    net.ops[0].out = 2;
    net.inputs = {0};
    net.outputs = {2};
    change(net);
    testing::place_apart(net);
    return encode_refusal(net);
  };
  EXPECT_EQ(with_view([](IntNet&) {}), "");
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].origin_y = 4; }), HasSubstr("leaves its parent"));
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].origin_x = 4; }), HasSubstr("leaves its parent"));
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].origin_x = 4000; }), HasSubstr("outside its parent"));
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].origin_c = 3; }), HasSubstr("byte edge"));
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].zero_point ^= 1; }), HasSubstr("parent's bits"));
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].scale *= 2; }), HasSubstr("parent's bits"));
  EXPECT_THAT(with_view([](IntNet& n) { n.tensors[1].parent = 2; }), HasSubstr("come before"));
  EXPECT_THAT(with_view([](IntNet& n) { n.inputs = {1}; }), HasSubstr("may not be a view"));
  EXPECT_THAT(with_view([](IntNet& n) {
                n.tensors[0].c = n.tensors[1].c = 7;  // 3.5 bytes, then a neighbour
                n.tensors[0].c += 2;
                n.tensors[1].origin_c = 0;
                n.tensors[2].c = 7;
              }),
              HasSubstr("end on a byte edge"));
}

TEST(Validate, ParametersAreJudged) {
  const IntNet good = one_conv();
  const auto refused = [&](auto change) {
    IntNet net = good;
    change(net.ops[0]);
    return encode_refusal(net);
  };
  EXPECT_THAT(refused([](IntOp& op) { op.weights[0] = 16; }), HasSubstr("weights[0]: 16"));
  EXPECT_THAT(refused([](IntOp& op) { op.weights.pop_back(); }), HasSubstr("weights"));
  EXPECT_THAT(refused([](IntOp& op) { op.bias.push_back(0); }), HasSubstr("bias"));
  EXPECT_THAT(refused([](IntOp& op) { op.shift.push_back(0); }), HasSubstr("shift"));
  EXPECT_THAT(refused([](IntOp& op) { op.weight_zero_points[0] = 32513; }), HasSubstr("32513"));
  EXPECT_THAT(refused([](IntOp& op) { op.act_max = 14; }), HasSubstr("clamp"));
  EXPECT_THAT(refused([](IntOp& op) { op.weight_bits = 3; }), HasSubstr("weight_bits: 3"));
  EXPECT_THAT(refused([](IntOp& op) { op.kernel_h = 70000; }), HasSubstr("kernel_h: 70000"));
  EXPECT_THAT(refused([](IntOp& op) { op.out = 9; }), HasSubstr("out: tensor 9"));
  EXPECT_THAT(refused([](IntOp& op) { op.half_step = false, op.contract = net::Contract::tflite; }),
              HasSubstr("no kernel"));
}

TEST(Validate, AccumulatorsMustFit32Bits) {
  IntNet net = one_conv();
  IntOp& op = net.ops[0];
  const IntTensor& in = net.tensors[op.in0];
  // Channel 1: the largest Phi takes the top value where w > zw, else 0.
  const size_t taps = op.weights.size() / op.bias.size();
  int64_t most = 0;
  for (size_t k = 0; k < taps; ++k) {
    const int64_t w = op.weights[taps + k] - op.weight_zero_points[1];
    most += w * (w > 0 ? 255 - in.zero_point : -in.zero_point);
  }
  op.bias[1] = static_cast<int32_t>((int64_t{1} << 31) - 1 - most);
  EXPECT_EQ(encode_refusal(net), "");
  ++op.bias[1];
  EXPECT_THAT(encode_refusal(net), HasSubstr("channel 1: accumulator may reach"));
}

TEST(Validate, ThresholdsMustBeSorted) {
  Random random(21);
  IntNet net = testing::random_op({net::Family::conv, 8, 8, 4, net::Contract::thresholds}, random);
  EXPECT_EQ(encode_refusal(net), "");
  net.ops[0].directions[0] = 1;
  for (int k = 0; k < 15; ++k) net.ops[0].thresholds[k] = 10 * k;
  net.ops[0].thresholds[7] = 59;
  EXPECT_THAT(encode_refusal(net), HasSubstr("channel 0: threshold 7: 59 after 60"));
}

TEST(Validate, PaddingInsideABlobMustBeZero) {
  Bytes file = encode(one_conv());
  net::Op op;
  std::memcpy(&op, file.data() + header(file).ops_offset, sizeof op);
  file[op.weights_offset + op.weights_bytes - 1] ^= 1;  // the tail
  seal(file);
  EXPECT_THAT(refusal(file), HasSubstr("padding or tail"));
}

// The rules of order: reading what nothing wrote, writing over one's own input.
TEST(Validate, ScheduleIsJudged) {
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

}  // namespace
}  // namespace mcusim
