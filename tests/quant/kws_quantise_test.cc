// SPDX-License-Identifier: MIT
// What quantisation costs a real network: the keyword network, ranges from its
// first 100 inputs, judged on the other 900. The float network has 819 of those
// right; one point is 9 of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "kernels/host/host_executor.h"
#include "memmap/base/error.h"
#include "memmap/base/npy.h"
#include "quant/graph/execute.h"
#include "quant/import/onnx.h"
#include "quant/pack/place.h"
#include "quant/plan/rule_search.h"
#include "quant/quantise/placeholder.h"
#include "quant/quantise/sensitivity.h"

namespace mcusim::quantise {
namespace {

using plan::Flavour;

constexpr size_t kSize = 490, kCount = 1000, kCalibration = 100;
constexpr float kScale = 0.5847029089927673f;  // data/README.md
constexpr int kZeroPoint = 83;
constexpr double kPoint = (kCount - kCalibration) / 100.0;

template <typename T>
int top1(const std::vector<T>& values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

class Keywords : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* data = std::getenv("MCUSIM_DATA");
    if (!data) return;
    const std::string folder = std::string(data) + "/kws/";
    graph_ = new graph::Graph(import::read_onnx(folder + "kws_ds_cnn_float.onnx"));
    x_ = load_array(parse_selector(folder + "kws_test_inputs.npz:x")).as_integers();
    y_ = load_array(parse_selector(folder + "kws_test_inputs.npz:y")).as_integers();
    std::vector<std::vector<float>> inputs;
    for (size_t i = 0; i < kCalibration; ++i) inputs.push_back(real(i));
    values_ = observe(*graph_, inputs);
    graph::FloatExecutor executor(*graph_);
    for (size_t i = kCalibration; i < kCount; ++i) {
      float_top1_.push_back(top1(executor.run(real(i))[graph_->outputs[0]]));
      float_right_ += float_top1_.back() == y_[i];
    }
  }
  static void TearDownTestSuite() {
    delete graph_;
    graph_ = nullptr;
  }
  void SetUp() override {
    if (!graph_) GTEST_SKIP() << "MCUSIM_DATA is not set";
    layers_ = graph::fuse(*graph_);
    problem_ = plan::problem_of(*graph_, layers_);
    options_.input = {kScale, kZeroPoint + 128};
    options_.input_signed = true;
  }

  static std::vector<float> real(size_t index) {
    std::vector<float> input(kSize);
    for (size_t k = 0; k < kSize; ++k)
      input[k] = kScale * static_cast<float>(x_[index * kSize + k] - kZeroPoint);
    return input;
  }

  // Points lost against the float network; negative when it gains.
  double loss(const std::string& label, const plan::Widths& widths) {
    auto converted = convert(*graph_, layers_, problem_, widths, values_, options_);
    place_tensors(converted.net);
    HostExecutor executor(encode(converted.net));
    int right = 0, agree = 0;
    for (size_t i = kCalibration; i < kCount; ++i) {
      const int got = top1(run(executor, converted.net, i));
      right += got == y_[i];
      agree += got == float_top1_[i - kCalibration];
    }
    std::cout << label << ": " << right << "/900 (float " << float_right_ << "), as float " << agree
              << "/900\n";
    return (float_right_ - right) / kPoint;
  }

  static std::vector<uint8_t> stored(size_t index) {
    std::vector<uint8_t> values(kSize);
    for (size_t k = 0; k < kSize; ++k)
      values[k] = static_cast<uint8_t>(x_[index * kSize + k] + 128);
    return values;
  }

  static std::vector<uint8_t> run(HostExecutor& executor, const IntNet& net, size_t index) {
    executor.write_tensor(net.inputs[0], stored(index));
    executor.run();
    return executor.read_tensor(net.outputs[0]);
  }

  plan::Widths all_at(uint8_t activations, uint8_t weights) const {
    return plan::all_at(problem_, activations, weights);
  }

  static graph::Graph* graph_;
  static std::vector<int64_t> x_, y_;
  static std::vector<Distribution> values_;
  static std::vector<int> float_top1_;
  static int float_right_;
  graph::LayerGraph layers_;
  plan::Problem problem_;
  ConvertOptions options_;
};
graph::Graph* Keywords::graph_ = nullptr;
std::vector<int64_t> Keywords::x_, Keywords::y_;
std::vector<Distribution> Keywords::values_;
std::vector<int> Keywords::float_top1_;
int Keywords::float_right_ = 0;

TEST_F(Keywords, EightBitsPerChannelCostHalfAPoint) {
  EXPECT_LE(loss("pc-icn w8a8", all_at(8, 8)), 0.5);
}

// What `plan` counts before anything is calibrated is what `quantize` makes.
TEST_F(Keywords, PlannedBytesAreTheContainersBytes) {
  for (const auto& [activations, weights] : {std::pair{8, 8}, {8, 4}, {4, 2}}) {
    const auto widths = all_at(static_cast<uint8_t>(activations), static_cast<uint8_t>(weights));
    auto planned = placeholder_net(*graph_, layers_, problem_, widths, plan::Mode::pc);
    auto made = convert(*graph_, layers_, problem_, widths, values_, options_).net;
    place_tensors(planned);
    place_tensors(made);
    EXPECT_EQ(encode(planned).size(), encode(made).size());
    EXPECT_EQ(planned.arena_bytes, made.arena_bytes);
  }
}

TEST_F(Keywords, FourBitWeightsPerChannelCostTwoPoints) {
  EXPECT_LE(loss("pc-icn w4a8", all_at(8, 4)), 2);
  options_.bias_correction = false;
  EXPECT_LE(loss("pc-icn w4a8, biases as trained", all_at(8, 4)), 2);
}

TEST_F(Keywords, HalfTheWeightBytesCostAPointAndAHalf) {
  const auto eight = all_at(8, 8);
  uint64_t weights = 0, parameters = 0;
  for (size_t i = 0; i < problem_.layers.size(); ++i) {
    weights += plan::weight_bytes(problem_, eight, i);
    parameters += plan::parameter_bytes(problem_, eight, i, Flavour::pc_icn);
  }
  const auto plan = plan::rule_search(
      problem_, {weights / 2 + parameters, 1000000, 8, 4}, plan::Mode::pc);
  ASSERT_FALSE(plan.shortfall);
  EXPECT_LE(loss("pc-icn, half the weight bytes", plan.widths), 1.5);
  options_.ranges.half_step = false;
  loss("the same without the half step", plan.widths);
}

// At the same flash, least measured loss against the papers' rule.
TEST_F(Keywords, ExactSearchLosesLessThanTheRule) {
  std::vector<Sample> samples;
  for (size_t i = 0; i < 16; ++i) samples.push_back({real(i), stored(i)});
  const auto costs = measure_costs(*graph_, layers_, problem_, values_, options_, samples);
  const plan::Limits limits = {16500, 16000};
  const auto exact = plan::exact_search(problem_, limits, plan::Mode::pc, costs);
  const auto rule = plan::rule_search(problem_, limits, plan::Mode::pc);
  ASSERT_FALSE(exact.shortfall || rule.shortfall);
  EXPECT_LE(plan::paper_bytes(problem_, exact.widths, plan::Mode::pc), limits.flash_bytes);
  EXPECT_LT(loss("exact, 16500 B", exact.widths), loss("rule, 16500 B", rule.widths));
}

// The papers' comparison, in which no method corrects biases; and the project's default
// against the papers' folding.
TEST_F(Keywords, IntegerNormalisationBeatsFoldingAtFourBits) {
  options_.flavour = Flavour::pl_icn;
  const double corrected = loss("pl-icn w4a8", all_at(8, 4));
  options_.bias_correction = false;
  const double icn = loss("pl-icn w4a8, biases as trained", all_at(8, 4));
  options_.flavour = Flavour::pl_fb;
  const double folded = loss("pl-fb w4a8, biases as trained", all_at(8, 4));
  EXPECT_LT(icn, folded);
  EXPECT_LT(corrected, folded);
}

TEST_F(Keywords, ThresholdsEqualMultipliersBitForBit) {
  const auto widths = all_at(4, 4);
  options_.flavour = Flavour::pc_icn;
  auto icn = convert(*graph_, layers_, problem_, widths, values_, options_);
  options_.flavour = Flavour::pc_thresholds;
  auto thresholds = convert(*graph_, layers_, problem_, widths, values_, options_);
  place_tensors(icn.net);
  place_tensors(thresholds.net);
  EXPECT_EQ(thresholds.net.ops[0].contract, net::Contract::thresholds);
  HostExecutor a(encode(icn.net)), b(encode(thresholds.net));
  for (size_t i = 0; i < kCount; ++i)
    ASSERT_EQ(run(a, icn.net, i), run(b, thresholds.net, i)) << i;
}

}  // namespace
}  // namespace mcusim::quantise
