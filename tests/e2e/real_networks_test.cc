// SPDX-License-Identifier: MIT
// The real networks of MCUSIM_DATA on the emulated target, byte for byte.
#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/host/tensor_io.h"
#include "memmap/base/npy.h"
#include "sim/run/network_run.h"
#include "tests/e2e/program.h"

namespace mcusim::testing {
namespace {

class RealNetworks : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("MCUSIM_DATA");
    if (!data) GTEST_SKIP() << "MCUSIM_DATA is unset";
    data_ = data;
  }

  NetworkRun load(const std::string& model, const NetworkRunOptions& options) {
    EXPECT_EQ(run_program({"convert", data_ + model, "-o", directory_.file("net.bin")}).status, 0);
    return {load_board("stm32h743"), read_file(directory_.file("net.bin")), options};
  }

  // Runs inputs [0, count) and compares every logit with the reference.
  void expect_logits(const NetworkRun& network, const std::string& inputs, const std::string& logits, uint64_t count) {
    const auto x = load_array(parse_selector(data_ + inputs)), want = load_array(parse_selector(data_ + logits));
    const auto& in = network.net().tensors[static_cast<size_t>(network.net().inputs[0])];
    const auto& out = network.net().tensors[static_cast<size_t>(network.net().outputs[0])];
    for (uint64_t i = 0; i < count; ++i) {
      const auto result = network.run({stored_values(in, x, i, inputs)});
      ASSERT_TRUE(result.verified) << result.report.verify;
      for (uint32_t c = 0; c < out.c; ++c)
        ASSERT_EQ(shown_value(out, result.outputs[0][c]), static_cast<int8_t>(want.bytes[i * out.c + c]))
            << "input " << i << " logit " << c;
    }
  }

  std::string data_;
  const TemporaryDirectory directory_;
};

TEST_F(RealNetworks, KeywordsHundredInputsOnTheTarget) {
  NetworkRunOptions options;
  options.simulation.timed = false;
  options.simulation.machine.fast = true;
  options.simulation.machine.strict = false;
  expect_logits(load("/kws/kws_ds_cnn_int8.tflite", options), "/kws/kws_test_inputs.npz:x", "/kws/kws_int8_logits.npz", 100);
}

TEST_F(RealNetworks, KeywordsTimedStrictAndVerified) {
  NetworkRunOptions options;
  options.verify = true;
  expect_logits(load("/kws/kws_ds_cnn_int8.tflite", options), "/kws/kws_test_inputs.npz:x", "/kws/kws_int8_logits.npz", 3);
}

TEST_F(RealNetworks, PersonDetectionFourInputsOnTheTarget) {
  NetworkRunOptions options;
  options.verify = true;
  expect_logits(load("/vww/vww_96_int8.tflite", options), "/vww/vww_test_inputs.npz:x", "/vww/vww_int8_logits.npz", 4);
}

}  // namespace
}  // namespace mcusim::testing
