// SPDX-License-Identifier: MIT
// The command line from outside: what works says so with status 0, bad input of any
// kind gets one clear line and status 1, wrong usage status 2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernels/host/int_net.h"
#include "memmap/base/npy.h"
#include "tests/e2e/program.h"
#include "tests/sim/small_net.h"

namespace mcusim::testing {
namespace {

using ::testing::HasSubstr;

class Cli : public ::testing::Test {
 protected:
  Cli() { write_file(net_, encode(small_net(1))); }

  std::string file(const char* name) const { return directory_.file(name); }
  std::string save(const char* name, const std::vector<uint8_t>& bytes) const {
    write_file(file(name), bytes);
    return file(name);
  }
  // One line on stderr that names what is wrong, status 1, nothing else.
  void expect_refused(std::vector<std::string> arguments, const std::string& words) {
    const Finished run = run_program(std::move(arguments));
    EXPECT_EQ(run.status, 1) << run.err;
    EXPECT_THAT(run.err, HasSubstr(words));
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_EQ(run.out, "");
  }

  const TemporaryDirectory directory_;
  const std::string net_ = file("net.bin");
};

TEST_F(Cli, RunPrintsLayersTotalsAndPeaks) {
  const Finished run = run_program({"run", net_, "--verify"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.err, "");
  for (const char* part : {"cyc/MAC", "cycles = ", "AXI_SRAM", "DTCM", "FLASH", "top: #", "operators equal the naive twin"})
    EXPECT_THAT(run.out, HasSubstr(part));
}

TEST_F(Cli, EqualRunsGiveEqualBytes) {
  for (const char* name : {"a.json", "b.json"})
    ASSERT_EQ(run_program({"run", net_, "-q", "--json", file(name), "--output", file("y.npy")}).status, 0);
  EXPECT_EQ(read_text_file(file("a.json")), read_text_file(file("b.json")));
}

TEST_F(Cli, Law4PeaksEqualThePlan) {
  ASSERT_EQ(run_program({"run", net_, "-q", "--json", file("r.json")}).status, 0);
  const auto report = nlohmann::json::parse(read_text_file(file("r.json")));
  EXPECT_EQ(report["program"]["container_bytes"], read_file(net_).size());
  for (const auto& memory : report["memory"]) {
    if (memory["planned_bytes"] == 0) continue;
    EXPECT_EQ(memory["peak_bytes"], memory["planned_bytes"]) << memory;
  }
}

TEST_F(Cli, DiffOfARunWithItselfPasses) {
  ASSERT_EQ(run_program({"run", net_, "-q", "--json", file("r.json")}).status, 0);
  EXPECT_EQ(run_program({"diff", file("r.json"), file("r.json"), "--max-cycles", "0", "--max-ram", "0"}).status, 0);
}

TEST_F(Cli, WrongUsageIsStatus2) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {}, {"nonsense"}, {"run"}, {"run", net_, "--no-such-option"}, {"run", net_, "--seed", "x"}, {"run", net_, "--clock-mhz", "nan"}, {"run", net_, "--clock-mhz", "-400"},
           {"run", net_, "--until-text", ""}, {"run", net_, "--base", "0x08000000"}, {"run", net_, "--hse-mhz", "0"},
           {"diff", "a", "b", "--max-cycles", "much"}})
    EXPECT_EQ(run_program(arguments).status, 2) << (arguments.empty() ? "" : arguments[0]);
}

TEST_F(Cli, MissingDirectoryAndEmptyFilesAreRefused) {
  expect_refused({"run", file("absent.bin")}, "absent.bin: cannot open");
  expect_refused({"run", directory_.path()}, "is a directory");
  expect_refused({"run", save("empty.bin", {})}, "empty.bin");
  ASSERT_EQ(::mkfifo(file("fifo").c_str(), 0600), 0);
  expect_refused({"run", file("fifo")}, "fifo");
}

TEST_F(Cli, DamagedContainersAreRefused) {
  const auto good = read_file(net_);
  for (size_t size = 64; size < good.size(); size += std::max<size_t>(64, good.size() / 20))
    expect_refused({"run", save("cut.bin", {good.begin(), good.begin() + static_cast<ptrdiff_t>(size)})}, "mcusim: ");
  auto flipped = good;
  flipped[good.size() / 2] ^= 1;
  expect_refused({"run", save("flipped.bin", flipped)}, "crc32");
  auto version = good;
  version[4] = 77;
  expect_refused({"run", save("version.bin", version)}, "77");
}

TEST_F(Cli, UnknownBoardAndClockAreRefusedByName) {
  expect_refused({"run", net_, "--board", "stm32z999"}, "stm32z999");
  expect_refused({"run", net_, "--clock-mhz", "123"}, "123");
}

TEST_F(Cli, InputsOfWrongShapeTypeOrFormAreRefused) {
  const auto npy = [&](const char* name, const NpyArray& array) { return save(name, format_npy(array)); };
  expect_refused({"run", net_, "--input", npy("shape.npy", {"|u1", {7}, std::vector<uint8_t>(7)})}, "shape (7)");
  expect_refused({"run", net_, "--input", npy("type.npy", {"<i4", {8, 8, 3}, std::vector<uint8_t>(8 * 8 * 3 * 4)})}, "<i4");
  expect_refused({"run", net_, "--input", save("bad.npy", {1, 2, 3})}, "bad.npy");
  expect_refused({"run", net_, "--input", save("bad.npz", {1, 2, 3})}, "bad.npz");
  expect_refused({"run", net_, "--input", file("absent.npy")}, "absent.npy");
}

TEST_F(Cli, FirmwareForAnotherCoreIsRefused) {
  // The test program itself: an ELF, but of the host.
  expect_refused({"run", "/proc/self/exe"}, "ELF");
}

TEST_F(Cli, NetworkThatDoesNotFitIsRefusedWithBothNumbers) {
  expect_refused({"run", net_, "--flash", "1000"}, "1000");
  expect_refused({"run", net_, "--ram", "10"}, "10");
  ASSERT_EQ(run_program({"zoo", "mobilenet_v1", "--width", "1.0", "--resolution", "224", "-o", file("big.bin")}).status, 0);
  expect_refused({"run", file("big.bin")}, "2097152");
}

TEST_F(Cli, OutputThatCannotBeWrittenIsAnErrorAndKeepsTheOldFile) {
  expect_refused({"run", net_, "-q", "--json", directory_.path() + "/no/such/r.json"}, "cannot create");
  EXPECT_EQ(run_program({"run", net_, "-q", "--json", "/dev/full"}).status, 1);
}

TEST_F(Cli, InstructionBudgetEndsTheRunWithStatus1) {
  const Finished run = run_program({"run", net_, "--max-instructions", "20000", "-q"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("budget"));
}

TEST_F(Cli, EveryVerbHasHelpThatShowsItsOptions) {
  for (const char* verb : {"run", "boards", "image", "diff", "report", "convert", "eval", "info", "pack", "unpack", "zoo", "plan"}) {
    const Finished run = run_program({verb, "--help"});
    EXPECT_EQ(run.status, 0) << verb;
    EXPECT_THAT(run.out, HasSubstr("--help")) << verb;
  }
}

}  // namespace
}  // namespace mcusim::testing
