// SPDX-License-Identifier: MIT
// The keyword network retrained at 4 bits throughout, a short version of the table in
// docs/training.md: three epochs on 700 inputs, judged on 200 others. It takes half a
// minute because it trains.
#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/host/host_executor.h"
#include "memmap/base/npy.h"
#include "quant/import/onnx.h"
#include "quant/train/prepare.h"

namespace mcusim::train {
namespace {

constexpr size_t kSize = 490, kTraining = 700, kFirstTest = 800, kCount = 1000;

struct Keywords {
  explicit Keywords(const std::string& folder)
      : graph(import::read_onnx(folder + "kws_ds_cnn_float.onnx")) {
    const auto x = load_array(parse_selector(folder + "kws_test_inputs.npz:x")).as_integers();
    const auto y = load_array(parse_selector(folder + "kws_test_inputs.npz:y")).as_integers();
    for (size_t i = 0; i < kCount; ++i) {
      std::vector<uint8_t> stored(kSize);
      for (size_t k = 0; k < kSize; ++k) stored[k] = static_cast<uint8_t>(x[i * kSize + k] + 128);
      const auto real = on_grid(stored, input);
      if (i < kTraining) {
        training.inputs.push_back(real);
        training.labels.push_back(y[i]);
      } else if (i >= kFirstTest) {
        test.push_back({real, stored});
        test_inputs.push_back(real);
        test_labels.push_back(y[i]);
      }
    }
  }

  graph::Graph graph;
  graph::LayerGraph layers = graph::fuse(graph);
  plan::Problem problem = plan::problem_of(graph, layers);
  quantise::Affine input{0.5847029089927673f, 83 + 128};  // data/README.md
  Examples training;
  std::vector<quantise::Sample> test;
  std::vector<std::vector<float>> test_inputs;
  std::vector<int64_t> test_labels;
};

size_t right(const std::vector<uint32_t>& top1, const std::vector<int64_t>& labels) {
  size_t count = 0;
  for (size_t i = 0; i < top1.size(); ++i) count += top1[i] == labels[i];
  return count;
}

TEST(KeywordRetraining, RecoversFourBitsAndConvertsWithoutChangingADecision) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const Keywords net(std::string(data) + "/kws/");
  const auto widths = plan::all_at(net.problem, 4, 4);
  const auto flavour = plan::Flavour::pc_icn;
  const auto task = prepare(net.graph, net.layers, net.problem, widths, flavour, net.input,
                            net.training.inputs);
  TrainOptions options;
  options.epochs = 3;
  const auto outcome = train(task, net.training, {}, options);

  const auto before = fake_quantised_top1(task, nullptr, net.test_inputs);
  const auto after = fake_quantised_top1(task, &outcome, net.test_inputs);
  EXPECT_LT(right(before, net.test_labels), 120u);  // 85 of 200: the plain floor, untrained
  EXPECT_GT(right(after, net.test_labels), 160u);   // the float network: 185

  const auto icn = finish(task, net.problem, widths, flavour, true, outcome);
  EXPECT_EQ(integer_top1(icn.file, net.test), after);

  const auto thresholds =
      finish(task, net.problem, widths, plan::Flavour::pc_thresholds, true, outcome);
  HostExecutor by_multiplier(icn.file), by_threshold(thresholds.file);
  for (const auto& sample : net.test) {
    for (auto* executor : {&by_multiplier, &by_threshold}) {
      executor->write_tensor(executor->net().inputs[0], sample.stored);
      executor->run();
    }
    ASSERT_EQ(by_threshold.read_tensor(by_threshold.net().outputs[0]),
              by_multiplier.read_tensor(by_multiplier.net().outputs[0]));
  }
}

}  // namespace
}  // namespace mcusim::train
