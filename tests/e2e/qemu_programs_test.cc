// SPDX-License-Identifier: MIT
// Programs of our own, compiled at -O0, -O2, -Os and -O3 for addresses that both
// have: QEMU and the machine print the same and retire exactly as many instructions.
#include <gtest/gtest.h>

#include "memmap/base/file.h"
#include "tests/e2e/qemu.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

class QemuPrograms : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(QemuPrograms, InstructionCountsAreEqual) {
  if (!testing::have_qemu()) GTEST_SKIP() << "qemu-system-arm is not installed";
  const auto [name, level] = GetParam();
  const std::string folder = std::string(MCUSIM_SOURCE_DIR) + "/tests/e2e/programs";
  test::GuestOptions guest;
  guest.flash = 0;
  const test::TemporaryDirectory directory;
  const std::string elf =
      test::build_c(directory, read_text_file(folder + "/" + name + ".c"),
                    std::string(level) + " -fno-tree-loop-distribute-patterns -fno-math-errno -I" + folder, guest);
  const auto run = testing::run_machine(load_board("mps2_an500"), elf);
  ASSERT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.result.exit_code, 0);
  EXPECT_FALSE(run.console.empty());
  EXPECT_EQ(run.console, testing::run_qemu(elf, directory.path()));
  EXPECT_EQ(run.result.instructions, testing::qemu_instructions(elf, directory.path()));
  EXPECT_LT(run.result.instructions, 2'000'000u);
}

INSTANTIATE_TEST_SUITE_P(Levels, QemuPrograms,
                         ::testing::Combine(::testing::Values("integers", "floats", "control"),
                                            ::testing::Values("-O0", "-O2", "-Os", "-O3")),
                         [](const auto& program) {
                           return std::string(std::get<0>(program.param)) + "_" +
                                  (std::get<1>(program.param) + 1);
                         });

}  // namespace
}  // namespace mcusim
