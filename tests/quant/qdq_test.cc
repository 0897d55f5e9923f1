// SPDX-License-Identifier: MIT
// Quantised ONNX: the int8 keyword network written as QDQ imports to the integers
// of its TensorFlow Lite file and gives the same thousand logits; small networks
// below 8 bits (QCDQ, QONNX) against the real numbers they stand for.
#include "quant/import/qdq.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>

#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/eval/evaluate.h"
#include "quant/import/tflite_model.h"
#include "quant/pack/place.h"

namespace mcusim::import {
namespace {

using onnx_file::Attribute;
using onnx_file::Node;
using onnx_file::Tensor;
using ::testing::HasSubstr;

// Builds plain ONNX structures node by node.
class Maker {
 public:
  Maker() {
    model.opset = 13;
    model.name = "made";
  }
  onnx_file::Model model;

  std::string integers(const std::string& type, std::vector<int64_t> dims,
                       std::vector<int64_t> values) {
    return put({std::move(dims), type, {}, std::move(values)});
  }
  std::string reals(std::vector<int64_t> dims, std::vector<float> values) {
    return put({std::move(dims), "float", std::move(values), {}});
  }
  std::string node(const std::string& op, std::vector<std::string> inputs,
                   std::map<std::string, Attribute> attributes = {}) {
    const std::string out = "v" + std::to_string(count_++);
    model.nodes.push_back({out, op, "", std::move(inputs), {out}, std::move(attributes)});
    return out;
  }
  // x through QuantizeLinear, Clip where the range is narrower than the type, and back.
  std::string quantised(const std::string& x, float scale, int64_t zero,
                        const std::string& type = "int8", std::vector<int64_t> range = {}) {
    const std::string s = reals({}, {scale}), z = integers(type, {}, {zero});
    std::string q = node("QuantizeLinear", {x, s, z});
    if (!range.empty())
      q = node("Clip", {q, integers(type, {}, {range[0]}), integers(type, {}, {range[1]})});
    return node("DequantizeLinear", {q, s, z});
  }
  std::string stored(const std::string& type, std::vector<int64_t> dims,
                     std::vector<int64_t> values, std::vector<float> scales, int64_t axis = 0) {
    const auto n = static_cast<int64_t>(scales.size());
    const std::vector<int64_t> shape = n > 1 ? std::vector<int64_t>{n} : std::vector<int64_t>{};
    const std::string q = integers(type, std::move(dims), std::move(values));
    return node("DequantizeLinear",
                {q, reals(shape, std::move(scales)),
                 integers(type, shape, std::vector<int64_t>(static_cast<size_t>(n), 0))},
                {{"axis", {.integer = axis}}});
  }

 private:
  std::string put(Tensor tensor) {
    const std::string name = "c" + std::to_string(count_++);
    model.constants[name] = std::move(tensor);
    return name;
  }
  int count_ = 0;
};

std::vector<int64_t> signed_of(const std::vector<uint8_t>& stored) {
  std::vector<int64_t> values;
  for (const uint8_t value : stored) values.push_back(value - 128);
  return values;
}

// The weight scales, which an integer network no longer has, from its TensorFlow Lite file.
std::vector<float> weight_scales(const TfliteModel& file, const IntOp& op) {
  for (const auto& from : file.ops)
    if (from.inputs.size() == 3) {
      const auto& out = file.tensors[static_cast<size_t>(from.outputs[0])];
      if (out.name.find(op.name) != std::string::npos)
        return file.tensors[static_cast<size_t>(from.inputs[1])].scales;
    }
  return {};
}

// An int8 TensorFlow Lite network as its QDQ twin.
onnx_file::Model as_qdq(const IntNet& net, const TfliteModel& file) {
  Maker m;
  const auto shaped = [&](int id) { return net.tensors[static_cast<size_t>(id)]; };
  const auto quantised = [&](const std::string& x, int id) {
    return m.quantised(x, shaped(id).scale, shaped(id).zero_point - 128);
  };
  const IntTensor in = shaped(net.inputs[0]);
  m.model.inputs = {{"x", {1, in.c, in.h, in.w}}};
  std::map<int, std::string> made = {{net.inputs[0], quantised("x", net.inputs[0])}};
  for (const IntOp& op : net.ops) {
    const IntTensor from = shaped(op.in0), to = shaped(op.out);
    std::string x = made.at(op.in0), y;
    if (op.kind == net::OpKind::avg_pool) {
      y = m.node("GlobalAveragePool", {x});
    } else {
      const auto scales = weight_scales(file, op);
      std::vector<float> bias_scales;
      for (const float s : scales) bias_scales.push_back(from.scale * s);
      const int64_t co = to.c, ci = op.kind == net::OpKind::depthwise ? 1 : from.c;
      const auto q = signed_of(op.weights);
      std::vector<int64_t> turned(q.size());
      const size_t taps = op.kernel_h * op.kernel_w;
      for (size_t i = 0; i < q.size(); ++i) {
        const size_t o = i / (taps * static_cast<size_t>(ci)),
                     t = i / static_cast<size_t>(ci) % taps, c = i % static_cast<size_t>(ci);
        if (op.kind == net::OpKind::depthwise)
          turned[i % to.c * taps + i / to.c] = q[i];
        else
          turned[(o * static_cast<size_t>(ci) + c) * taps + t] = q[i];
      }
      const std::vector<int64_t> bias(op.bias.begin(), op.bias.end());
      const std::string b = m.stored("int32", {co}, bias, bias_scales);
      if (op.kind == net::OpKind::fully_connected) {
        x = m.node("Flatten", {x});
        y = m.node("Gemm", {x, m.stored("int8", {co, ci}, q, scales), b},
                   {{"transB", {.integer = 1}}});
      } else {
        const std::string w = m.stored("int8", {co, ci, op.kernel_h, op.kernel_w}, turned, scales);
        const auto n = [](uint32_t value) { return static_cast<int64_t>(value); };
        y = m.node(
            "Conv", {x, w, b},
            {{"group", {.integer = op.kind == net::OpKind::depthwise ? co : 1}},
             {"strides", {.integers = {n(op.stride_h), n(op.stride_w)}}},
             {"pads",
              {.integers = {n(op.pad_top), n(op.pad_left), n(op.pad_bottom), n(op.pad_right)}}}});
        y = m.node("Relu", {y});
      }
    }
    made[op.out] = quantised(y, op.out);
  }
  m.model.outputs = {m.node("Softmax", {made.at(net.outputs[0])}, {{"axis", {.integer = -1}}})};
  return m.model;
}

TEST(Qdq, KeywordNetworkHasTheIntegersOfItsTfliteFile) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const std::string kws = std::string(data) + "/kws/";
  const auto bytes = read_file(kws + "kws_ds_cnn_int8.tflite");
  const IntNet expected = import_tflite(bytes, "kws").net;
  IntNet net = import_qdq(as_qdq(expected, TfliteModel(bytes, "kws")), "kws.onnx").net;
  ASSERT_EQ(net.ops.size(), expected.ops.size());
  for (size_t i = 0; i < net.ops.size(); ++i) {
    SCOPED_TRACE(expected.ops[i].name);
    const IntOp &a = net.ops[i], &b = expected.ops[i];
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.contract, b.contract);
    EXPECT_EQ(a.weights, b.weights);
    EXPECT_EQ(a.weight_zero_points, b.weight_zero_points);
    EXPECT_EQ(a.bias, b.bias);
    EXPECT_EQ(a.mult, b.mult);
    EXPECT_EQ(a.shift, b.shift);
    EXPECT_EQ(a.act_min, b.act_min);
    EXPECT_EQ(a.act_max, b.act_max);
  }
  place_tensors(net);
  const Samples samples = load_samples(net, kws + "kws_test_inputs.npz:x", 0);
  const Outputs outputs = evaluate_host(encode(net), samples, 2);
  const auto logits = load_array(parse_selector(kws + "kws_int8_logits.npz:logits"));
  for (size_t i = 0; i < outputs.size(); ++i)
    for (size_t k = 0; k < 12; ++k)
      ASSERT_EQ(outputs[i][k] - 128, static_cast<int8_t>(logits.bytes[i * 12 + k])) << i;
}

IntNet import(const Maker& maker) {
  IntNet net = import_qdq(maker.model, "made.onnx").net;
  place_tensors(net);
  encode(net);
  return net;
}

// A convolution of 4-bit weights on 4-bit values with a rectifier, in QCDQ or QONNX form.
Maker small_network(bool qonnx) {
  Maker m;
  m.model.inputs = {{"x", {1, 2, 1, 3}}};
  const auto quant = [&](const std::string& x, float scale, float bits, int64_t is_signed) {
    return m.node("Quant", {x, m.reals({}, {scale}), m.reals({}, {0}), m.reals({}, {bits})},
                  {{"signed", {.integer = is_signed}}});
  };
  const std::vector<float> w = {0.5f, -0.25f, 1.75f, -2.0f};
  std::string x, weights, y;
  if (qonnx) {
    x = quant("x", 0.1f, 4, 0);
    weights = quant(m.reals({2, 2, 1, 1}, w), 0.25f, 4, 1);
  } else {
    x = m.quantised("x", 0.1f, 0, "uint8", {0, 15});
    weights = m.quantised(m.reals({2, 2, 1, 1}, w), 0.25f, 0, "int8", {-8, 7});
  }
  y = m.node("Relu", {m.node("Conv", {x, weights, m.reals({2}, {0.05f, 0.3f})})});
  m.model.outputs = {qonnx ? quant(y, 0.13f, 4, 0) : m.quantised(y, 0.13f, 0, "uint8", {0, 15})};
  return m;
}

TEST(Qdq, FourBitNetworksRoundTheRealResult) {
  // Half a step of the output, and half a step of the folded bias (0.1 * 0.25 / 0.13 of one).
  constexpr double kTolerance = 0.501 + 0.5 * 0.1 * 0.25 / 0.13;
  for (const bool qonnx : {false, true}) {
    const IntNet net = import(small_network(qonnx));
    ASSERT_EQ(net.ops.size(), 1u);
    EXPECT_EQ(net.ops[0].contract, net::Contract::icn_floor);
    EXPECT_TRUE(net.ops[0].half_step);
    EXPECT_EQ(net.ops[0].weight_bits, 4);
    EXPECT_EQ(net.tensors[static_cast<size_t>(net.outputs[0])].bits, 4);
    EXPECT_FALSE(net.tensors[static_cast<size_t>(net.inputs[0])].signed_view);
    for (int a = 0; a < 16; ++a)
      for (int b = 0; b < 16; ++b) {
        const auto v = static_cast<uint8_t>(a), u = static_cast<uint8_t>(b);
        const auto got =
            reference::run(net, {{v, u, v, u, v, u}})[static_cast<size_t>(net.outputs[0])];
        const double first = (0.1 * (0.5 * a - 0.25 * b) + 0.05) / 0.13;
        const double second = (0.1 * (1.75 * a - 2.0 * b) + 0.3) / 0.13;
        EXPECT_NEAR(got[0], std::clamp(first, 0.0, 15.0), kTolerance);
        EXPECT_NEAR(got[1], std::clamp(second, 0.0, 15.0), kTolerance);
      }
  }
}

TEST(Qdq, AdditionAndPoolsBelowEightBits) {
  Maker m;
  m.model.inputs = {{"x", {1, 2, 2, 2}}};
  const std::string x = m.quantised("x", 0.2f, 0, "uint8", {0, 15});
  const std::string most = m.node("MaxPool", {x}, {{"kernel_shape", {.integers = {1, 1}}}});
  const std::string sum = m.quantised(m.node("Add", {x, most}), 0.5f, 0, "uint8", {0, 15});
  m.model.outputs = {m.quantised(m.node("GlobalAveragePool", {sum}), 0.25f, 0, "uint8")};
  const IntNet net = import(m);
  const auto all = reference::run(net, {{0, 1, 5, 15, 7, 8, 9, 10}});
  const auto& added = all[static_cast<size_t>(net.ops[1].out)];
  const double x_values[] = {0, 1, 5, 15, 7, 8, 9, 10};
  double mean[2] = {0, 0};
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(added[i], 2 * 0.2 * x_values[i] / 0.5, 0.501);
    mean[i % 2] += added[i] * 0.5 / 4;
  }
  const auto& averaged = all[static_cast<size_t>(net.outputs[0])];
  EXPECT_NEAR(averaged[0], mean[0] / 0.25, 0.501);
  EXPECT_NEAR(averaged[1], mean[1] / 0.25, 0.501);
  EXPECT_EQ(net.tensors[static_cast<size_t>(net.outputs[0])].bits, 8);
}

// Brevitas' average pool: the sum of four values, its two lowest bits cut off.
TEST(Qdq, TruncCutsTheSumOfAPool) {
  for (const bool second : {false, true}) {
    Maker m;
    m.model.inputs = {{"x", {1, 1, 2, 2}}};
    const auto number = [&](float value) { return m.reals({}, {value}); };
    const auto x = m.node("Quant", {"x", number(0.1f), number(0), number(4)}, {{"signed", {}}});
    const std::string sum = m.node("Mul", {m.node("GlobalAveragePool", {x}), number(4)});
    std::vector<std::string> inputs = {sum, number(0.1f), number(0), number(6)};
    if (second) inputs.push_back(number(0.4f));
    inputs.push_back(number(4));
    m.model.outputs = {m.node("Trunc", inputs, {{"signed", {}}})};
    const IntNet net = import(m);
    const auto out = static_cast<size_t>(net.outputs[0]);
    EXPECT_EQ(net.tensors[out].bits, 4);
    EXPECT_FLOAT_EQ(net.tensors[out].scale, second ? 0.4f : 0.1f);
    for (int a = 0; a < 16; ++a)
      for (int b = 0; b < 16; ++b) {
        const auto p = static_cast<uint8_t>(a), q = static_cast<uint8_t>(b);
        EXPECT_EQ(reference::run(net, {{p, q, 15, 0}})[out][0], (a + b + 15) / 4) << a << " " << b;
      }
  }
}

TEST(Qdq, MatMulWithTransposedWeightsAndIntegerEnds) {
  Maker m;
  m.model.inputs = {{"x", {1, 2}}};  // uint8 integers from outside
  const std::string s = m.reals({}, {0.5f}), z = m.integers("uint8", {}, {10});
  const std::string x = m.node("DequantizeLinear", {"x", s, z});
  const std::string w =
      m.node("Transpose", {m.stored("int8", {3, 2}, {1, 2, 3, 4, -5, 6}, {1, 2, 4})});
  m.model.outputs = {m.node("QuantizeLinear", {m.node("MatMul", {x, w}), m.reals({}, {1.0f}),
                                               m.integers("int8", {}, {-3})})};
  const IntNet net = import(m);
  EXPECT_EQ(net.tensors[0].zero_point, 10);
  const auto got = reference::run(net, {{14, 12}})[1];  // real 2, 1
  EXPECT_THAT(got, ::testing::ElementsAre(128 - 3 + 4, 128 - 3 + 20, 128 - 3 - 16));
}

std::string refusal(const std::function<void(Maker&)>& make) {
  Maker m;
  m.model.inputs = {{"x", {1, 2, 4, 4}}};
  try {
    make(m);
    import(m);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Qdq, RefusesWithTheReason) {
  EXPECT_THAT(refusal([&](Maker& m) {
                const auto n = [&](float value) { return m.reals({}, {value}); };
                m.model.outputs = {m.node("Trunc", {m.quantised("x", 1, 0), n(1), n(0), n(8), n(4)})};
              }),
              HasSubstr("only behind an average pool"));
  const auto weights = [](Maker& m) { return m.stored("int8", {1, 2, 1, 1}, {1, 2}, {1.0f}); };
  EXPECT_THAT(refusal([&](Maker& m) {
                m.model.outputs = {m.node("Conv", {m.quantised("x", 1, 0), weights(m)})};
              }),
              HasSubstr("is not quantised"));
  EXPECT_THAT(refusal([&](Maker& m) {
                m.model.outputs = {m.quantised(
                    m.node("Conv", {m.quantised("x", 1, 0), m.reals({1, 2, 1, 1}, {1, 2})}), 1, 0)};
              }),
              HasSubstr("weights are not quantised"));
  EXPECT_THAT(refusal([&](Maker& m) {
                const auto a = m.quantised("x", 1, 0), b = m.quantised("x", 2, 0);
                m.model.outputs = {m.quantised(m.node("Add", {a, b}), 1, 0)};
              }),
              HasSubstr("quantised in two ways"));
  EXPECT_THAT(refusal([&](Maker& m) {
                m.model.outputs = {m.quantised(m.node("Relu", {m.quantised("x", 1, 0)}), 1, 0)};
              }),
              HasSubstr("follows no layer"));
  EXPECT_THAT(refusal([&](Maker& m) {
                m.model.outputs = {m.quantised(m.node("MaxPool", {m.quantised("x", 1, 0)},
                                                      {{"kernel_shape", {.integers = {2, 2}}}}),
                                               2, 0)};
              }),
              HasSubstr("quantised differently"));
  EXPECT_THAT(refusal([&](Maker& m) { m.model.outputs = {m.quantised("x", 0, 0)}; }),
              HasSubstr("scale 0"));
  EXPECT_THAT(refusal([&](Maker& m) { m.model.outputs = {m.quantised("x", 1, 0, "int16")}; }),
              HasSubstr("int16"));
  EXPECT_THAT(refusal([&](Maker& m) {
                m.model.outputs = {m.quantised("x", 1, 0, "int8", {5, 5})};
              }),
              HasSubstr("empty range"));
  EXPECT_THAT(refusal([&](Maker& m) { m.model.outputs = {m.quantised("x", 1, 0)}; }),
              HasSubstr("no operator"));
}

// Structures changed at random end in a network or in an Error.
void damage(onnx_file::Model& model, std::mt19937& random) {
  auto& node = model.nodes[random() % model.nodes.size()];
  if (node.inputs.empty()) node.inputs.emplace_back();
  auto constant = model.constants.begin();
  std::advance(constant, static_cast<int64_t>(random() % model.constants.size()));
  Tensor& tensor = constant->second;
  switch (random() % 7) {
    case 0:
      node.inputs[random() % node.inputs.size()] =
          model.nodes[random() % model.nodes.size()].outputs[0];
      break;
    case 1:
      node.inputs[random() % node.inputs.size()] = constant->first;
      break;
    case 2:
      node.op = model.nodes[random() % model.nodes.size()].op;
      break;
    case 3:
      node.inputs.resize(random() % 4);
      break;
    case 4:
      for (auto& [key, attribute] : node.attributes) {
        attribute.integer += static_cast<int64_t>(random() % 5) - 2;
        for (auto& value : attribute.integers) value += static_cast<int64_t>(random() % 5) - 2;
      }
      break;
    case 5:
      for (auto& real : tensor.reals) real *= random() % 2 ? -1.0f : 1e20f;
      for (auto& integer : tensor.integers) integer += static_cast<int64_t>(random()) - INT32_MAX;
      break;
    default:
      std::swap(tensor, model.constants.begin()->second);
  }
}

TEST(Qdq, SurvivesDamagedStructures) {
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    Maker m = small_network(round % 2 == 0);
    for (int n = 1 + round % 3; n-- > 0;) damage(m.model, random);
    try {
      import(m);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace mcusim::import
