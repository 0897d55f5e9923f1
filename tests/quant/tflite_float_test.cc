// SPDX-License-Identifier: MIT
// Float networks from TensorFlow Lite: the keyword network written as .tflite gives
// what its ONNX file gives, weights may be half or int8, refusals name operators.
#include "quant/import/tflite_float.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "memmap/base/error.h"
#include "memmap/base/npy.h"
#include "quant/graph/execute.h"
#include "quant/graph/layers.h"
#include "quant/import/onnx.h"
#include "quant/zoo/random.h"
#include "tests/support/tflite_builder.h"

namespace mcusim::import {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Builder = mcusim::testing::TfliteBuilder;
using tflite::Activation;
using tflite::Padding;

int real(Builder& b, const std::string& name, std::vector<int32_t> shape) {
  return b.tensor(name, std::move(shape), {}, {}, tflite::TensorType::float32);
}

// A graph of convolutions, batch norms, clamps, pools and products as a .tflite file,
// with batch norm as MUL and ADD of constants and padding as SAME.
std::vector<uint8_t> as_tflite(const graph::Graph& graph) {
  Builder b;
  std::vector<int> ids(graph.values.size(), -1);
  const auto shape = [&](int value) {
    const auto& v = graph.values[value];
    return std::vector<int32_t>{1, static_cast<int32_t>(v.h), static_cast<int32_t>(v.w),
                                static_cast<int32_t>(v.c)};
  };
  ids[graph.inputs[0]] = real(b, "input", shape(graph.inputs[0]));
  for (const auto& node : graph.nodes) {
    const int in = ids[node.in0];
    const auto channels = static_cast<int32_t>(graph.values[node.out].c);
    const int out = ids[node.out] = real(b, node.name, shape(node.out));
    const auto constant = [&](std::vector<int32_t> dims, const std::vector<float>& values) {
      return b.constant<float>("c", std::move(dims), values);
    };
    const auto bias = [&] {
      return node.bias.empty() ? -1 : constant({channels}, node.bias);
    };
    const auto kh = static_cast<int32_t>(node.kernel_h), kw = static_cast<int32_t>(node.kernel_w);
    const auto step_h = static_cast<int32_t>(node.stride_h),
               step_w = static_cast<int32_t>(node.stride_w);
    switch (node.kind) {
      case graph::Kind::conv:
        if (node.groups == 1) {
          const auto ci = static_cast<int32_t>(graph.values[node.in0].c);
          b.op(Builder::kConv2d, {in, constant({channels, kh, kw, ci}, node.weights), bias()}, {out},
               tflite::Options::Conv2D,
               tflite::CreateConv2D(b.fbb, Padding::same, step_w, step_h).Union());
        } else {
          std::vector<float> taps_first(node.weights.size());
          const size_t taps = size_t{node.kernel_h} * node.kernel_w;
          for (size_t c = 0; c < static_cast<size_t>(channels); ++c)
            for (size_t t = 0; t < taps; ++t)
              taps_first[t * static_cast<size_t>(channels) + c] = node.weights[c * taps + t];
          b.op(Builder::kDepthwise, {in, constant({1, kh, kw, channels}, taps_first), bias()}, {out},
               tflite::Options::DepthwiseConv2D,
               tflite::CreateDepthwiseConv2D(b.fbb, Padding::same, step_w, step_h, 1).Union());
        }
        break;
      case graph::Kind::batch_norm: {
        std::vector<float> scale, offset;
        for (size_t c = 0; c < node.gamma.size(); ++c) {
          scale.push_back(node.gamma[c] / std::sqrt(node.variance[c] + node.epsilon));
          offset.push_back(node.beta[c] - node.mean[c] * scale.back());
        }
        const int scaled = real(b, node.name + "/mul", shape(node.out));
        b.op(Builder::kMul, {in, constant({channels}, scale)}, {scaled});
        b.op(Builder::kAdd, {constant({channels}, offset), scaled}, {out});
        break;
      }
      case graph::Kind::clamp: b.op(Builder::kRelu, {in}, {out}); break;
      case graph::Kind::avg_pool:
        b.op(Builder::kAveragePool, {in}, {out}, tflite::Options::Pool2D,
             tflite::CreatePool2D(b.fbb, Padding::valid, step_w, step_h, kw, kh).Union());
        break;
      case graph::Kind::flatten: b.op(Builder::kReshape, {in}, {out}); break;
      case graph::Kind::fully_connected:
        b.op(Builder::kFullyConnected,
             {in, constant({channels, static_cast<int32_t>(node.weights.size()) / channels}, node.weights),
              bias()}, {out});
        break;
      default: throw Error("{}: not written here", node.name);
    }
  }
  return b.finish({ids[graph.inputs[0]]}, {ids[graph.outputs[0]]});
}

class FloatKeywords : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("MCUSIM_DATA");
    if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
    folder_ = std::string(data) + "/kws/";
    onnx_ = read_onnx(folder_ + "kws_ds_cnn_float.onnx");
    file_ = as_tflite(onnx_);
  }
  std::string folder_;
  graph::Graph onnx_;
  std::vector<uint8_t> file_;
};

TEST_F(FloatKeywords, GivesWhatItsOnnxFileGives) {
  EXPECT_TRUE(is_float_tflite(file_, "kws.tflite"));
  const auto graph = import_float_tflite(file_, "kws.tflite");
  EXPECT_EQ(graph::fuse(graph).layers.size(), graph::fuse(onnx_).layers.size());
  const auto x = load_array(parse_selector(folder_ + "kws_test_inputs.npz:x[0:40]")).as_integers();
  graph::FloatExecutor a(graph), b(onnx_);
  std::vector<float> input(490);
  for (size_t i = 0; i < 40; ++i) {
    for (size_t k = 0; k < 490; ++k) input[k] = 0.5847029f * static_cast<float>(x[i * 490 + k] - 83);
    const auto got = a.run(input)[graph.outputs[0]];
    const auto& expected = b.run(input)[onnx_.outputs[0]];
    for (size_t k = 0; k < got.size(); ++k) ASSERT_NEAR(got[k], expected[k], 1e-3) << i << " " << k;
  }
}

TEST_F(FloatKeywords, DamagedFilesAreErrorsOrGraphs) {
  zoo::Random random(11);
  int refused = 0;
  const auto attempt = [&](const std::vector<uint8_t>& damaged) {
    try {
      import_float_tflite(damaged, "damaged");
    } catch (const Error&) {
      ++refused;
    }
  };
  // Structure lies at the front of the file and at its end, weights between.
  for (int i = 0; i < 500; ++i) {
    auto damaged = file_;
    const auto last = static_cast<int32_t>(file_.size()) - 1;
    const int32_t at = i % 2 == 0 ? random.integer(0, last)
                                  : random.integer(0, 1) * (last - 6000) + random.integer(0, 6000);
    damaged[static_cast<size_t>(at)] ^= static_cast<uint8_t>(1 << random.integer(0, 7));
    attempt(damaged);
  }
  EXPECT_GT(refused, 50);
  for (long i = 0; i < 500; ++i)
    attempt({file_.begin(), file_.begin() + static_cast<long>(file_.size()) * i / 500});
}

std::vector<float> run(const std::vector<uint8_t>& file, const std::vector<float>& input) {
  const auto graph = import_float_tflite(file, "made.tflite");
  graph::FloatExecutor executor(graph);
  return executor.run(input)[graph.outputs[0]];
}

std::string refusal(const std::vector<uint8_t>& file) {
  try {
    import_float_tflite(file, "made.tflite");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(TfliteFloat, WeightsInHalfPrecisionAndInt8) {
  for (const bool half : {true, false}) {
    Builder b;
    const int in = real(b, "in", {1, 2}), out = real(b, "out", {1, 2});
    // 1.5, -2 and, the smallest half above 0, 2^-24; 65504 is the largest.
    int w = half ? b.constant<uint16_t>("w", {2, 2}, {0x3E00, 0xC000, 0x0001, 0x7BFF})
                 : b.constant<int8_t>("w", {2, 2}, {3, -4, 1, 2}, {0.5f, 0.25f}, 0);
    if (half) {
      const int wide = real(b, "wide", {2, 2});
      b.op(Builder::kDequantize, {w}, {wide});
      w = wide;
    }
    b.op(Builder::kFullyConnected, {in, w, -1}, {out});
    const auto got = run(b.finish({in}, {out}), {1, 1});
    EXPECT_FLOAT_EQ(got[0], -0.5f);
    EXPECT_FLOAT_EQ(got[1], half ? 65504.0f + 0x1p-24f : 0.75f);
  }
}

// Padding joins the convolution behind it; a fused activation of a max pool moves
// into the convolution before it.
TEST(TfliteFloat, PaddingAndActivationsJoinConvolutions) {
  Builder b;
  const int in = real(b, "in", {1, 2, 2, 1}), padded = real(b, "padded", {1, 4, 4, 1});
  const int y = real(b, "y", {1, 2, 2, 1}), out = real(b, "out", {1, 1, 1, 1});
  b.op(Builder::kPad, {in, b.constant<int32_t>("p", {4, 2}, {0, 0, 1, 1, 1, 1, 0, 0})}, {padded});
  b.op(Builder::kConv2d, {padded, b.constant<float>("w", {1, 3, 3, 1}, std::vector<float>(9, 1)), -1},
       {y}, tflite::Options::Conv2D, tflite::CreateConv2D(b.fbb, Padding::valid, 1, 1).Union());
  b.op(Builder::kMaxPool, {y}, {out}, tflite::Options::Pool2D,
       tflite::CreatePool2D(b.fbb, Padding::valid, 2, 2, 2, 2, Activation::relu6).Union());
  const auto file = b.finish({in}, {out});
  const auto graph = import_float_tflite(file, "made");
  const auto layers = graph::fuse(graph).layers;
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(graph.nodes[0].pad_top, 1u);
  EXPECT_GE(layers[0].clamp, 0);
  EXPECT_FLOAT_EQ(run(file, {1, 2, 0.5f, 1})[0], 4.5f);
  EXPECT_FLOAT_EQ(run(file, {1, 2, 3, 4})[0], 6);
  EXPECT_FLOAT_EQ(run(file, {-1, -2, -3, -4})[0], 0);
}

TEST(TfliteFloat, NamesEveryUnsupportedOperatorAndNoReaderOfIt) {
  Builder b;
  const int in = real(b, "in", {1, 4, 4, 1}), a = real(b, "a", {1, 4, 4, 1});
  const int c = real(b, "c", {1, 4, 4, 1}), d = real(b, "d", {1, 4, 4, 1});
  b.op(Builder::kTranspose, {in}, {a});
  b.op(Builder::kRelu, {a}, {c});
  b.op(Builder::kConv2d, {in, b.constant<float>("w", {1, 3, 3, 1}, std::vector<float>(9, 1)), -1}, {d},
       tflite::Options::Conv2D,
       tflite::CreateConv2D(b.fbb, Padding::same, 1, 1, Activation::none, 2, 2).Union());
  EXPECT_THAT(refusal(b.finish({in}, {c})),
              AllOf(HasSubstr("made.tflite: 2 of 3 operators"), HasSubstr("operator 0 TRANSPOSE: "),
                    HasSubstr("operator 2 CONV_2D: dilation 2x2"), Not(HasSubstr("operator 1"))));
}

}  // namespace
}  // namespace mcusim::import
