// SPDX-License-Identifier: MIT
// Law 2 on a third engine: an image for the MPS2 AN500 prints the same output
// bytes under qemu-system-arm as the host executor computes and as the simulated
// machine prints, and both engines retire exactly the same instructions.
#include <gtest/gtest.h>

#include <cstdlib>

#include "kernels/host/tensor_io.h"
#include "quant/eval/evaluate.h"
#include "quant/pack/net_file.h"
#include "sim/image/image.h"
#include "sim/image/tool.h"
#include "tests/e2e/qemu.h"
#include "tests/sim/small_net.h"

namespace mcusim {
namespace {

class Qemu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::have_qemu()) GTEST_SKIP() << "qemu-system-arm is not installed";
  }

  const TemporaryDirectory directory_;
  const Board board_ = load_board("mps2_an500");
};

TEST_F(Qemu, Law2OutputsEqualTheHostExecutor) {
  std::string previous;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    const auto container = encode(testing::small_net(seed));
    ImageOptions options;
    options.dump_outputs = true;
    options.input = testing::random_input(8 * 8 * 3, seed);
    build_image(container, board_, options, directory_.file("fw.elf"));
    const auto dump = testing::run_qemu(directory_.file("fw.elf"), directory_.path());
    EXPECT_EQ(dump, testing::host_dump(container, options.input)) << "seed " << seed;
    EXPECT_NE(dump, previous) << "outputs do not depend on the input";
    previous = dump;
  }
}

TEST_F(Qemu, PackedOutputsOfSeveralPixelsAreEqualToo) {
  using net::OpKind;
  for (const uint8_t bits : {2, 4, 8}) {
    const auto container = encode(
        testing::make_chain({{OpKind::conv2d, 4, bits, 5, 5, 9, 3, 1, 1, 1, -8}}, 5, 5, 4));
    ImageOptions options;
    options.dump_outputs = true;
    options.input = testing::random_input(5 * 5 * 4);
    build_image(container, board_, options, directory_.file("fw.elf"));
    EXPECT_EQ(testing::run_qemu(directory_.file("fw.elf"), directory_.path()),
              testing::host_dump(container, options.input))
        << int{bits} << " bits";
  }
}

TEST_F(Qemu, KeywordNetworkGivesTheReferenceLogits) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const std::string kws = std::string(data) + "/kws/";
  const NetFile file = load_net_file(kws + "kws_ds_cnn_int8.tflite");
  const auto logits = load_array(parse_selector(kws + "kws_int8_logits.npz:logits"));
  const Samples samples = load_samples(file.net, kws + "kws_test_inputs.npz:x", 3);
  const IntTensor& input = file.net.tensors[static_cast<size_t>(file.net.inputs[0])];
  const uint64_t classes = logits.shape[1];
  for (uint64_t i = 0; i < samples.count; ++i) {
    ImageOptions options;
    options.dump_outputs = true;
    options.input = stored_values(input, samples.array, i, samples.name);  // 8 bits: bytes as stored
    build_image(file.container, board_, options, directory_.file("fw.elf"));
    std::string expected;
    for (uint64_t k = 0; k < classes; ++k)
      expected += fmt::format("{:02x}", logits.bytes[i * classes + k] ^ 0x80);
    EXPECT_EQ(testing::run_qemu(directory_.file("fw.elf"), directory_.path()), expected + "\n")
        << "sample " << i;
  }
}

TEST_F(Qemu, InstructionCountsAndOutputsEqualTheMachine) {
  for (uint32_t seed = 1; seed <= 2; ++seed) {
    const auto container = encode(testing::small_net(seed));
    ImageOptions options;
    options.dump_outputs = true;
    options.input = testing::random_input(8 * 8 * 3, seed);
    const auto elf = directory_.file("fw.elf");
    build_image(container, board_, options, elf);
    const auto run = testing::run_machine(board_, elf);
    EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
    EXPECT_EQ(run.result.exit_code, 0);
    EXPECT_EQ(run.console, testing::host_dump(container, options.input));
    EXPECT_EQ(run.result.instructions, testing::qemu_instructions(elf, directory_.path()));
    EXPECT_LT(run.result.instructions, 2'000'000u);
  }
}

}  // namespace
}  // namespace mcusim
