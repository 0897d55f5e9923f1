// SPDX-License-Identifier: MIT
// The TensorFlow Lite importer on two real networks, against logits that an
// independent implementation of the reference arithmetic computed: byte for byte.
// Then damage to a real file: an Error or a sound network, never a crash.
#include "quant/import/tflite.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

#include "kernels/host/host_executor.h"
#include "kernels/host/tensor_io.h"
#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/eval/evaluate.h"
#include "quant/pack/net_file.h"
#include "quant/pack/place.h"

namespace mcusim {
namespace {

#define DATA_OR_SKIP(name)                       \
  const char* name = std::getenv("MCUSIM_DATA"); \
  if (!name) GTEST_SKIP() << "MCUSIM_DATA is not set"

std::vector<uint8_t> as_int8(const std::vector<uint8_t>& stored) {
  std::vector<uint8_t> shown;
  for (const uint8_t value : stored) shown.push_back(static_cast<uint8_t>(value - 128));
  return shown;
}

// All outputs as the bytes of an int8 array [samples, classes].
std::vector<uint8_t> logits_of(const Outputs& outputs) {
  std::vector<uint8_t> all;
  for (const auto& output : outputs)
    for (const uint8_t value : as_int8(output)) all.push_back(value);
  return all;
}

TEST(Tflite, KeywordNetworkGivesAllThousandLogitsAnd901) {
  DATA_OR_SKIP(data);
  const std::string kws = std::string(data) + "/kws/";
  const NetFile file = load_net_file(kws + "kws_ds_cnn_int8.tflite");
  const std::string inputs = kws + "kws_test_inputs.npz:x";
  const Samples samples = load_samples(file.net, inputs, 0);
  ASSERT_EQ(samples.count, 1000u);
  const Outputs outputs = evaluate_host(file.container, samples, 2);
  const auto expected = load_array(parse_selector(kws + "kws_int8_logits.npz:logits"));
  EXPECT_EQ(logits_of(outputs), expected.bytes);
  const auto labels = load_labels("y", inputs, samples.count);
  EXPECT_EQ(count_correct(top1(outputs), labels), 901u);
  uint64_t diagonal = 0, all = 0;
  const auto counts = confusion(top1(outputs), 12, labels);
  for (size_t i = 0; i < counts.size(); ++i) {
    diagonal += counts[i][i];
    for (const uint64_t count : counts[i]) all += count;
  }
  EXPECT_EQ(diagonal, 901u);
  EXPECT_EQ(all, 1000u);
  EXPECT_THAT(file.notes, testing::ElementsAre(testing::HasSubstr("SOFTMAX")));
}

TEST(Tflite, PersonNetworkGivesAllLogits) {
  DATA_OR_SKIP(data);
  const std::string vww = std::string(data) + "/vww/";
  const NetFile file = load_net_file(vww + "vww_96_int8.tflite");
  const Samples samples = load_samples(file.net, vww + "vww_test_inputs.npz", 0);
  ASSERT_EQ(samples.count, 32u);
  const auto expected = load_array(parse_selector(vww + "vww_int8_logits.npz:logits"));
  EXPECT_EQ(logits_of(evaluate_host(file.container, samples, 2)), expected.bytes);
}

// The second implementation agrees with the kernels on every tensor, not only on logits.
TEST(Tflite, TwinAgreesOnEveryLayerOfTheKeywordNetwork) {
  DATA_OR_SKIP(data);
  const std::string kws = std::string(data) + "/kws/";
  const NetFile file = load_net_file(kws + "kws_ds_cnn_int8.tflite");
  const Samples samples = load_samples(file.net, kws + "kws_test_inputs.npz:x[17:19]", 0);
  HostExecutor executor(file.container);
  for (uint64_t i = 0; i < samples.count; ++i) {
    const int input = file.net.inputs[0];
    const auto values =
        stored_values(file.net.tensors[static_cast<size_t>(input)], samples.array, i, samples.name);
    const auto expected = reference::run(file.net, {values});
    executor.write_tensor(input, values);
    executor.run([&](size_t index) {
      const int out = file.net.ops[index].out;
      EXPECT_EQ(executor.read_tensor(out), expected[static_cast<size_t>(out)]) << index;
    });
  }
}

TEST(Tflite, ThreadsDoNotChangeOutputs) {
  DATA_OR_SKIP(data);
  const std::string kws = std::string(data) + "/kws/";
  const NetFile file = load_net_file(kws + "kws_ds_cnn_int8.tflite");
  const Samples samples = load_samples(file.net, kws + "kws_test_inputs.npz:x[0:20]", 9);
  ASSERT_EQ(samples.count, 9u);
  EXPECT_EQ(evaluate_host(file.container, samples, 1), evaluate_host(file.container, samples, 7));
}

void import_or_refuse(const std::vector<uint8_t>& file) {
  try {
    ImportedNet imported = import_tflite(file, "damaged.tflite");
    place_tensors(imported.net);
    encode(imported.net);
  } catch (const Error&) {
  }
}

TEST(Tflite, SurvivesBitFlipsAndTruncation) {
  DATA_OR_SKIP(data);
  const auto file = read_file(std::string(data) + "/kws/kws_ds_cnn_int8.tflite");
  std::mt19937 random(5);
  // Most bytes are weights; the structure gets half of the flips.
  std::vector<size_t> structure;
  for (size_t at = 0; at < file.size(); ++at)
    if (at < 64 || at + 6000 > file.size() || file[at] == 0) structure.push_back(at);
  for (int round = 0; round < 500; ++round) {
    auto damaged = file;
    for (int flips = 1 + round % 3; flips-- > 0;) {
      const size_t at = round % 2 ? random() % file.size() : structure[random() % structure.size()];
      damaged[at] ^= static_cast<uint8_t>(1u << random() % 8);
    }
    import_or_refuse(damaged);
  }
  for (int round = 0; round < 500; ++round) {
    const size_t length = round < 100 ? static_cast<size_t>(round) : random() % file.size();
    EXPECT_THROW(import_tflite({file.begin(), file.begin() + static_cast<int64_t>(length)}, "cut"),
                 Error)
        << length;
  }
}

}  // namespace
}  // namespace mcusim
