// SPDX-License-Identifier: MIT
// Each operator of the TensorFlow Lite importer on models made here: window
// positions and values that follow from the format's definition, refusals with
// their reasons, all of them in one message.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "quant/import/fixed_point.h"
#include "quant/import/tflite.h"
#include "quant/pack/place.h"
#include "tests/support/tflite_builder.h"

namespace mcusim {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Builder = testing::TfliteBuilder;
using tflite::Padding;
using Values = std::vector<int>;

IntNet import(const std::vector<uint8_t>& file) {
  ImportedNet imported = import_tflite(file, "made.tflite");
  place_tensors(imported.net);
  encode(imported.net);  // the format accepts what the importer makes
  return std::move(imported.net);
}

std::string refusal(const std::vector<uint8_t>& file) {
  try {
    import(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Runs int8 values through the naive twin and gives the int8 output.
Values run(const IntNet& net, const Values& input) {
  std::vector<uint8_t> stored;
  for (const int value : input) stored.push_back(static_cast<uint8_t>(value + 128));
  const auto all = reference::run(net, {stored});
  Values output;
  for (const uint8_t value : all[static_cast<size_t>(net.outputs[0])])
    output.push_back(value - 128);
  return output;
}

// A 3x3 convolution of a 4x4 image whose only nonzero weight sits at (row, column).
std::vector<uint8_t> shifted_copy(Padding padding, int stride, int row, int column, int out_side) {
  Builder b;
  const int in = b.tensor("in", {1, 4, 4, 1}, {1.0f}, {-5});
  std::vector<int8_t> taps(9, 0);
  taps[static_cast<size_t>(row * 3 + column)] = 1;
  const int w = b.constant<int8_t>("w", {1, 3, 3, 1}, taps, {1.0f});
  const int bias = b.constant<int32_t>("b", {1}, {0});
  const int out = b.tensor("out", {1, out_side, out_side, 1}, {1.0f}, {-5});
  b.conv(in, w, bias, out, padding, stride);
  return b.finish({in}, {out});
}

const Values kImage = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST(TfliteOps, SamePaddingPutsTheOddUnitAfter) {
  // Stride 2 over 4 with a kernel of 3: one unit of padding, behind. Tap (0,0) reads
  // pixels (0,0), (0,2), (2,0), (2,2); tap (2,2) falls off the end, where the zero point is.
  EXPECT_THAT(run(import(shifted_copy(Padding::same, 2, 0, 0, 2)), kImage),
              ElementsAre(1, 3, 9, 11));
  EXPECT_THAT(run(import(shifted_copy(Padding::same, 2, 2, 2, 2)), kImage),
              ElementsAre(11, -5, -5, -5));
  // Stride 1: one unit on both sides.
  EXPECT_THAT(run(import(shifted_copy(Padding::same, 1, 1, 1, 4)), kImage), kImage);
  EXPECT_THAT(run(import(shifted_copy(Padding::valid, 1, 1, 1, 2)), kImage),
              ElementsAre(6, 7, 10, 11));
  EXPECT_THAT(refusal(shifted_copy(Padding::valid, 1, 1, 1, 4)), HasSubstr("2x2 follows"));
}

std::vector<uint8_t> fully_connected(const std::vector<int8_t>& weights, float sx, float sw,
                                     float sy, tflite::Activation activation, int64_t zero_y) {
  Builder b;
  const int in = b.tensor("in", {1, 2}, {sx});
  const int w = b.constant<int8_t>("w", {1, 2}, weights, {sw});
  const int out = b.tensor("out", {1, 1}, {sy}, {zero_y});
  b.op(Builder::kFullyConnected, {in, w, -1}, {out}, tflite::Options::FullyConnected,
       tflite::CreateFullyConnected(b.fbb, activation).Union());
  return b.finish({in}, {out});
}

TEST(TfliteOps, FusedActivationsClampInTheRealDomain) {
  const auto with = [](tflite::Activation activation, const Values& input) {
    return run(import(fully_connected({1, 1}, 0.5f, 0.25f, 0.125f, activation, -100)), input)[0];
  };
  EXPECT_EQ(with(tflite::Activation::none, {30, 10}), -60);
  EXPECT_EQ(with(tflite::Activation::none, {-10, -10}), -120);
  EXPECT_EQ(with(tflite::Activation::relu, {-10, -10}), -100);
  EXPECT_EQ(with(tflite::Activation::relu, {100, 100}), 100);
  EXPECT_EQ(with(tflite::Activation::relu6, {100, 100}), -100 + 48);  // 6 / 0.125
  EXPECT_THAT(refusal(fully_connected({1, 1}, 1, 1, 1, tflite::Activation::tanh, 0)),
              HasSubstr("fused activation number 4"));
}

TEST(TfliteOps, FullyConnectedRoundsTheScaleProductToFloat) {
  // float32(0.1) * float32(0.3) rounds; the two products give other multipliers.
  const float sx = 0.1f, sw = 0.3f, sy = 0.7f;
  const double single = static_cast<double>(sx * sw) / static_cast<double>(sy);
  const double exact = static_cast<double>(sx) * static_cast<double>(sw) / static_cast<double>(sy);
  ASSERT_NE(tflite_multiplier(single).mult, tflite_multiplier(exact).mult);
  const IntNet net = import(fully_connected({1, 1}, sx, sw, sy, tflite::Activation::none, 0));
  EXPECT_EQ(net.ops[0].mult[0], tflite_multiplier(single).mult);
}

TEST(TfliteOps, MultipliersAreMantissaAndExponent) {
  EXPECT_EQ(tflite_multiplier(0.5).mult, 1 << 30);
  EXPECT_EQ(tflite_multiplier(0.5).shift, 0);
  EXPECT_EQ(tflite_multiplier(3.0).mult, 3 << 29);
  EXPECT_EQ(tflite_multiplier(3.0).shift, 2);
  // A mantissa that rounds up to 2^31 becomes 2^30 with one more shift.
  EXPECT_EQ(tflite_multiplier(std::nextafter(1.0, 0.0)).mult, 1 << 30);
  EXPECT_EQ(tflite_multiplier(std::nextafter(1.0, 0.0)).shift, 1);
  EXPECT_EQ(tflite_multiplier(std::ldexp(0.75, -31)).shift, -31);
  EXPECT_EQ(tflite_multiplier(std::ldexp(0.75, -32)).mult, 0);
  EXPECT_THROW(tflite_multiplier(std::ldexp(1.0, 31)), Error);
  EXPECT_THROW(tflite_multiplier(NAN), Error);
}

TEST(TfliteOps, DepthwiseOverOneChannelIsAConvolution) {
  Builder b;
  const int in = b.tensor("in", {1, 1, 2, 1}, {1.0f});
  const int w = b.constant<int8_t>("w", {1, 1, 2, 3}, {1, 0, 2, 0, 1, 3}, {1.0f, 1.0f, 0.5f}, 3);
  const int bias = b.constant<int32_t>("b", {3}, {0, 10, 0});
  const int out = b.tensor("out", {1, 1, 1, 3}, {1.0f});
  b.depthwise(in, w, bias, out, Padding::valid);
  EXPECT_THAT(run(import(b.finish({in}, {out})), {4, 6}), ElementsAre(4, 16, 13));
}

// Groups of two channels: filters 0 and 1 see channels 0 and 1, filters 2 and 3 the others.
TEST(TfliteOps, GroupsSeeTheirOwnChannelsOnly) {
  Builder b;
  const int in = b.tensor("in", {1, 1, 2, 4}, {1.0f});
  const int w = b.constant<int8_t>("w", {4, 1, 1, 2}, {1, 2, -1, 1, 3, 0, 1, 1}, {1, 1, 0.5f, 2});
  const int bias = b.constant<int32_t>("b", {4}, {0, 10, 1, 0});
  const int out = b.tensor("out", {1, 1, 2, 4}, {1.0f});
  b.conv(in, w, bias, out, Padding::same);
  const IntNet net = import(b.finish({in}, {out}));
  ASSERT_EQ(net.ops.size(), 2u);
  EXPECT_EQ(net.ops[0].layer_id, net.ops[1].layer_id);
  // No product more than the groups have: 2 pixels x 4 filters x 2 channels.
  EXPECT_EQ(macs(net, net.ops[0]) + macs(net, net.ops[1]), 16u);
  EXPECT_THAT(run(net, {1, 2, 3, 4, 10, 20, 30, 40}), ElementsAre(5, 11, 5, 14, 50, 20, 46, 127));
}

TEST(TfliteOps, DepthwiseMultiplierKeepsItsOutputsTogether) {
  Builder b;
  const int in = b.tensor("in", {1, 1, 1, 2}, {1.0f});
  const int w = b.constant<int8_t>("w", {1, 1, 1, 6}, {1, 2, 3, -1, -2, -3}, std::vector<float>(6, 1), 3);
  const int bias = b.constant<int32_t>("b", {6}, {0, 0, 0, 0, 0, 100});
  const int out = b.tensor("out", {1, 1, 1, 6}, {1.0f});
  b.depthwise(in, w, bias, out, Padding::same);
  EXPECT_THAT(run(import(b.finish({in}, {out})), {5, 7}), ElementsAre(5, 10, 15, -7, -14, 79));
}

// A clamp behind a max pool is done before it, by the convolution.
TEST(TfliteOps, ActivationOfAMaxPoolMovesIntoItsProducer) {
  const auto model = [](bool with_conv) {
    Builder b;
    const int in = b.tensor("in", {1, 1, 4, 1}, {1.0f});
    const int x = b.tensor("x", {1, 1, 4, 1}, {1.0f}), out = b.tensor("out", {1, 1, 2, 1}, {1.0f});
    if (with_conv)
      b.conv(in, b.constant<int8_t>("w", {1, 1, 1, 1}, {1}, {1.0f}),
             b.constant<int32_t>("b", {1}, {0}), x, Padding::same);
    b.op(Builder::kMaxPool, {with_conv ? x : in}, {out}, tflite::Options::Pool2D,
         tflite::CreatePool2D(b.fbb, Padding::valid, 2, 1, 2, 1, tflite::Activation::relu6).Union());
    return b.finish({in}, {out});
  };
  EXPECT_THAT(run(import(model(true)), {-9, -3, 4, 99}), ElementsAre(0, 6));
  EXPECT_THAT(refusal(model(false)), HasSubstr("no operator before it"));
}

TEST(TfliteOps, Int4WeightsComeLowHalfFirst) {
  Builder b;
  const int in = b.tensor("in", {1, 3}, {1.0f});
  const int w = b.constant_int4("w", {1, 3}, {0xF2, 0x07}, {1.0f});  // 2, -1, 7
  const int out = b.tensor("out", {1, 1}, {1.0f});
  b.op(Builder::kFullyConnected, {in, w}, {out});
  EXPECT_THAT(run(import(b.finish({in}, {out})), {10, 3, 1}), ElementsAre(24));
}

TEST(TfliteOps, AdditionIsWithinOneStepOfTheRealSum) {
  Builder b;
  const int in = b.tensor("in", {1, 1, 256, 1}, {0.05f}, {3});
  const int w = b.constant<int8_t>("w", {1, 1, 1, 1}, {-1}, {0.4f});
  const int bias = b.constant<int32_t>("b", {1}, {0});
  const int scaled = b.tensor("scaled", {1, 1, 256, 1}, {0.03f}, {-7});
  const int out = b.tensor("out", {1, 1, 256, 1}, {0.04f}, {20});
  b.conv(in, w, bias, scaled, Padding::same);
  b.op(Builder::kAdd, {in, scaled}, {out}, tflite::Options::Add, tflite::CreateAdd(b.fbb).Union());
  Values input;
  for (int i = -128; i < 128; ++i) input.push_back(i);
  const Values got = run(import(b.finish({in}, {out})), input);
  for (size_t i = 0; i < input.size(); ++i) {
    const double x = 0.05 * (input[i] - 3);
    const double middle = std::clamp(std::round(-0.4 * x / 0.03) - 7, -128.0, 127.0);
    const double sum = (x + 0.03 * (middle + 7)) / 0.04 + 20;
    EXPECT_NEAR(got[i], std::clamp(sum, -128.0, 127.0), 0.51) << input[i];
  }
}

std::vector<uint8_t> mean_model(float sx, float sy, std::vector<int32_t> axes) {
  Builder b;
  const int in = b.tensor("in", {1, 2, 3, 2}, {sx}, {4});
  const int axis = b.constant<int32_t>("axes", {static_cast<int32_t>(axes.size())}, axes);
  const int out = b.tensor("out", {1, 2}, {sy}, {-6});
  b.op(Builder::kMean, {in, axis}, {out});
  return b.finish({in}, {out});
}

TEST(TfliteOps, MeanOverTheImage) {
  const Values input = {1, 100, 2, 90, 3, 80, 4, 70, 5, 60, 6, 50};
  for (const float sy : {1.0f, 2.0f, 0.75f}) {
    const Values got = run(import(mean_model(1.0f, sy, {1, 2})), input);
    EXPECT_NEAR(got[0], std::clamp((3.5 - 4) / sy - 6, -128.0, 127.0), 0.51);
    EXPECT_NEAR(got[1], std::clamp((75.0 - 4) / sy - 6, -128.0, 127.0), 0.51);
  }
  EXPECT_EQ(run(import(mean_model(1.0f, 1.0f, {-2, -3})), input),
            run(import(mean_model(1.0f, 1.0f, {1, 2})), input));
  EXPECT_THAT(refusal(mean_model(1.0f, 1.0f, {1})), HasSubstr("axes [1]"));
}

TEST(TfliteOps, PoolsTakeWhatLiesInside) {
  Builder b;
  const int in = b.tensor("in", {1, 3, 3, 1}, {1.0f}, {-9});
  const int average = b.tensor("average", {1, 2, 2, 1}, {1.0f}, {-9});
  const int most = b.tensor("most", {1, 1, 1, 1}, {1.0f}, {-9});
  b.pool(Builder::kAveragePool, in, average, Padding::same, 2, 2);
  b.pool(Builder::kMaxPool, average, most, Padding::valid, 2, 2);
  const auto file = b.finish({in}, {most});
  const IntNet net = import(file);
  const auto all = reference::run(net, {{128, 130, 132, 134, 136, 138, 140, 142, 144}});
  // Means of {0,2,6,8}, {4,10}, {12,14}, {16}.
  EXPECT_THAT(all[static_cast<size_t>(net.ops[0].out)], ElementsAre(132, 135, 141, 144));
  EXPECT_THAT(all[static_cast<size_t>(net.ops[1].out)], ElementsAre(144));
}

std::vector<uint8_t> padded_model(bool second_reader) {
  Builder b;
  const int in = b.tensor("in", {1, 2, 2, 1}, {1.0f}, {7});
  const int pads = b.constant<int32_t>("pads", {4, 2}, {0, 0, 1, 0, 0, 1, 0, 0});
  const int padded = b.tensor("padded", {1, 3, 3, 1}, {1.0f}, {7});
  const int w = b.constant<int8_t>("w", {1, 2, 2, 1}, {1, 1, 1, 1}, {1.0f});
  const int bias = b.constant<int32_t>("b", {1}, {0});
  const int out = b.tensor("out", {1, 2, 2, 1}, {1.0f}, {0});
  b.op(Builder::kPad, {in, pads}, {padded});
  b.conv(padded, w, bias, out, Padding::valid);
  return second_reader ? b.finish({in}, {out, padded}) : b.finish({in}, {out});
}

TEST(TfliteOps, PaddingBeforeAConvolutionIsDoneByIt) {
  const IntNet folded = import(padded_model(false)), apart = import(padded_model(true));
  EXPECT_EQ(folded.ops.size(), 1u);
  EXPECT_EQ(apart.ops.size(), 2u);
  const Values input = {8, 9, 10, 11};
  // Sums of (x - 7) over each 2x2 window, with a row of zeros above and a column behind.
  EXPECT_THAT(run(folded, input), ElementsAre(3, 2, 10, 6));
  EXPECT_THAT(run(apart, input), ElementsAre(3, 2, 10, 6));
}

TEST(TfliteOps, ReshapeCostsACopyOnlyWhereShapeMatters) {
  const auto model = [](bool flatten) {
    Builder b;
    const int in = b.tensor("in", {1, 2, 3, 1}, {1.0f});
    const int shape = b.constant<int32_t>("shape", {2}, {1, 6});
    const int flat = b.tensor(
        "flat", flatten ? std::vector<int32_t>{1, 6} : std::vector<int32_t>{1, 3, 2, 1}, {1.0f});
    b.op(Builder::kReshape, {in, shape}, {flat});
    if (!flatten) return b.finish({in}, {flat});
    const int w = b.constant<int8_t>("w", {1, 6}, {1, 2, 3, 4, 5, 6}, {1.0f});
    const int out = b.tensor("out", {1, 1}, {1.0f});
    b.op(Builder::kFullyConnected, {flat, w}, {out});
    return b.finish({in}, {out});
  };
  const IntNet net = import(model(true));
  EXPECT_EQ(net.ops.size(), 1u);
  EXPECT_THAT(run(net, {1, 1, 1, 1, 1, 2}), ElementsAre(27));
  const IntNet copied = import(model(false));
  ASSERT_EQ(copied.ops.size(), 1u);
  EXPECT_EQ(copied.ops[0].kind, net::OpKind::reshape);
  EXPECT_THAT(run(copied, {1, 2, 3, 4, 5, 6}), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(TfliteOps, QuantisationAtTheEdgesCostsNothing) {
  for (const auto type : {tflite::TensorType::float32, tflite::TensorType::uint8}) {
    const bool real = type == tflite::TensorType::float32;
    Builder b;
    const int raw =
        real ? b.tensor("raw", {1, 2}, {}, {}, type) : b.tensor("raw", {1, 2}, {1.0f}, {130}, type);
    const int in = b.tensor("in", {1, 2}, {1.0f}, {2});
    const int w = b.constant<int8_t>("w", {2, 2}, {1, 0, 0, 1}, {1.0f});
    const int logits = b.tensor("logits", {1, 2}, {1.0f});
    const int chances = b.tensor("chances", {1, 2}, {1.0f / 256}, {-128});
    const int out = b.tensor("out", {1, 2}, {}, {}, tflite::TensorType::float32);
    b.op(Builder::kQuantize, {raw}, {in});
    b.op(Builder::kFullyConnected, {in, w}, {logits});
    b.op(Builder::kSoftmax, {logits}, {chances});
    b.op(Builder::kDequantize, {chances}, {out});
    const IntNet net = import(b.finish({raw}, {out}));
    ASSERT_EQ(net.ops.size(), 1u);
    const IntTensor& input = net.tensors[static_cast<size_t>(net.inputs[0])];
    EXPECT_EQ(input.zero_point, 130);
    EXPECT_EQ(input.signed_view, real);
    EXPECT_EQ(net.tensors[static_cast<size_t>(net.outputs[0])].name, "logits");
    EXPECT_THAT(run(net, {5, 7}), ElementsAre(3, 5));
  }
}

TEST(TfliteOps, EveryUnsupportedOperatorIsNamedAtOnce) {
  Builder b;
  const int in = b.tensor("in", {1, 4, 4, 1}, {1.0f});
  const int w = b.constant<int8_t>("w", {1, 3, 3, 1}, std::vector<int8_t>(9, 1), {1.0f});
  const int bias = b.constant<int32_t>("b", {1}, {0});
  const int a = b.tensor("a", {1, 4, 4, 1}, {1.0f}), c = b.tensor("c", {1, 4, 4, 1}, {1.0f});
  const int d = b.tensor("d", {1, 4, 4, 1}, {1.0f}), e = b.tensor("e", {1, 4, 4, 1}, {1.0f});
  b.op(Builder::kTranspose, {in}, {a});
  b.conv(a, w, bias, c, Padding::same);
  b.conv(c, w, bias, d, Padding::same, 1, tflite::Activation::none, 2);
  b.op(999, {d}, {e});
  EXPECT_THAT(refusal(b.finish({in}, {e})),
              AllOf(HasSubstr("made.tflite: 3 of 4 operators"), HasSubstr("operator 0 TRANSPOSE: "),
                    HasSubstr("operator 2 CONV_2D: dilation 2x2"),
                    HasSubstr("operator 3 operator number 999: "), Not(HasSubstr("operator 1"))));
}

// One convolution whose parts `change` may spoil.
struct Parts {
  std::vector<int32_t> in_shape = {1, 4, 4, 2}, w_shape = {3, 1, 1, 2}, out_shape = {1, 4, 4, 3};
  std::vector<float> in_scale = {1.0f}, w_scale = {1.0f}, out_scale = {1.0f};
  std::vector<int64_t> in_zero = {0};
  std::vector<int32_t> bias = {0, 0, 0};
  tflite::TensorType in_type = tflite::TensorType::int8;
  int stride = 1, axis = 0, graphs = 1, read = 0;
  uint32_t version = 3;
};

std::string refusal_of(const std::function<void(Parts&)>& change) {
  Parts p;
  change(p);
  Builder b;
  const int in = b.tensor("in", p.in_shape, p.in_scale, p.in_zero, p.in_type);
  const int w = b.constant<int8_t>("w", p.w_shape, std::vector<int8_t>(6, 1), p.w_scale, p.axis);
  const int bias = b.constant<int32_t>("b", {static_cast<int32_t>(p.bias.size())}, p.bias);
  const int out = b.tensor("out", p.out_shape, p.out_scale);
  b.conv(p.read == 0 ? in : out, w, bias, out, Padding::same, p.stride);
  return refusal(b.finish({in}, {out}, p.version, p.graphs));
}

TEST(TfliteOps, RefusesWithTheReason) {
  EXPECT_EQ(refusal_of([](Parts&) {}), "no error");
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_shape[0] = 2; }), HasSubstr("batch 1"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_shape[1] = -1; }), HasSubstr("dimension -1"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_shape = {1, 1 << 20, 1 << 20, 2}; }), HasSubstr("2^30"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_shape[3] = 4; }),
              HasSubstr("3 filters of 2 input channels, input has 4"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_shape[3] = 5; }), HasSubstr("input has 5"));
  EXPECT_THAT(refusal_of([](Parts& p) {
                p.w_shape = {3, 1, 1, 1};
              }),
              HasSubstr("6 bytes of data for 3"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.out_shape[3] = 2; }), HasSubstr("expected 4x4x3"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_type = tflite::TensorType::float32; }),
              HasSubstr("float32"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_type = static_cast<tflite::TensorType>(77); }),
              HasSubstr("type 77"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_scale = {}; }), HasSubstr("0 scales"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_scale = {0.0f}; }), HasSubstr("scale 0"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.out_scale = {INFINITY}; }), HasSubstr("scale inf"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.in_zero = {128}; }), HasSubstr("zero point 128"));
  EXPECT_THAT(refusal_of([](Parts& p) {
                p.w_scale = {1.0f, 1.0f};
              }),
              HasSubstr("2 weight scales for 3"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.w_scale = {1, 1, 1}, p.axis = 3; }), HasSubstr("axis 3"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.bias = {0, 0}; }), HasSubstr("2 biases for 3"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.bias[1] = INT32_MAX; }),
              HasSubstr("channel 1: accumulator"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.stride = 0; }), HasSubstr("stride of 0"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.graphs = 2; }), HasSubstr("2 subgraphs"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.version = 2; }), HasSubstr("version 2"));
  EXPECT_THAT(refusal_of([](Parts& p) { p.read = 1; }), HasSubstr("before anything writes it"));
  EXPECT_THAT(refusal(std::vector<uint8_t>(100, 'x')), HasSubstr("no TFL3 mark"));
}

}  // namespace
}  // namespace mcusim
