// SPDX-License-Identifier: MIT
// Law 2 on a third engine: an image for the MPS2 AN500 prints the same output
// bytes under qemu-system-arm as the host executor computes and as the simulated
// machine prints, and both engines retire exactly the same instructions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "memmap/base/file.h"
#include "sim/image/image.h"
#include "sim/image/tool.h"
#include "tests/e2e/firmware.h"
#include "tests/sim/small_net.h"

namespace mcusim {
namespace {

bool have_qemu() { return std::system("command -v qemu-system-arm >/dev/null 2>&1") == 0; }

std::string run_qemu(const std::string& elf, const std::string& directory,
                     std::vector<std::string> extra = {}) {
  std::vector<std::string> command = {"timeout", "60", "qemu-system-arm", "-M", "mps2-an500",
                                      "-nographic", "-monitor", "none", "-serial", "none",
                                      "-semihosting-config", "enable=on,target=native",
                                      "-kernel", elf};
  command.insert(command.end(), extra.begin(), extra.end());
  return run_tool(command, directory);
}

// Instructions that QEMU executes: one translation block per instruction, one
// line of log each.
uint64_t qemu_instructions(const std::string& elf, const std::string& directory) {
  const std::string log = directory + "/exec.log";
  run_qemu(elf, directory, {"-singlestep", "-d", "nochain,exec", "-D", log});
  const auto bytes = read_file(log);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  uint64_t lines = 0;
  for (size_t at = text.find("Trace "); at != text.npos; at = text.find("Trace ", at + 6)) ++lines;
  return lines;
}

class Qemu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!have_qemu()) GTEST_SKIP() << "qemu-system-arm is not installed";
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
    const auto dump = run_qemu(directory_.file("fw.elf"), directory_.path());
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
    EXPECT_EQ(run_qemu(directory_.file("fw.elf"), directory_.path()),
              testing::host_dump(container, options.input))
        << int{bits} << " bits";
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
    EXPECT_EQ(run.result.instructions, qemu_instructions(elf, directory_.path()));
    EXPECT_LT(run.result.instructions, 2'000'000u);
  }
}

}  // namespace
}  // namespace mcusim
