// SPDX-License-Identifier: MIT
// Semihosting calls as the guest makes them, with files confined to one directory.
#include "sim/machine/semihosting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "memmap/base/file.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

constexpr uint32_t kFailed = 0xFFFFFFFF;

// A guest of 64 KiB at address 0; strings and blocks are put where the test says.
class SemihostingCalls : public testing::Test {
 protected:
  SemihostingCalls() : memory_(65536) {
    SemihostingPort port;
    port.read = [this](uint32_t address, std::span<uint8_t> out) {
      if (address > memory_.size() || out.size() > memory_.size() - address) return false;
      std::memcpy(out.data(), memory_.data() + address, out.size());
      return true;
    };
    port.write = [this](uint32_t address, std::span<const uint8_t> data) {
      if (address > memory_.size() || data.size() > memory_.size() - address) return false;
      std::memcpy(memory_.data() + address, data.data(), data.size());
      return true;
    };
    port.console = [this](std::string_view text) { console_ += text; };
    port.input = []() -> std::optional<uint8_t> { return {}; };
    port.seconds = [] { return 2.5; };
    port.cycles = [] { return uint64_t{1} << 33; };
    port.core_hz = [] { return uint64_t{400'000'000}; };
    calls_.configure(std::move(port), directory_.path("root"), "app one two");
    std::filesystem::create_directory(directory_.path("root"));
  }

  uint32_t call(uint32_t operation, std::initializer_list<uint32_t> block) {
    std::memcpy(memory_.data() + 256, block.begin(), 4 * block.size());
    return calls_.call(operation, 256).result;
  }
  void text(uint32_t address, const std::string& value) {
    std::memcpy(memory_.data() + address, value.c_str(), value.size() + 1);
  }
  uint32_t open(const std::string& name, uint32_t mode) {
    text(1024, name);
    return call(0x01, {1024, mode, static_cast<uint32_t>(name.size())});
  }

  std::vector<uint8_t> memory_;
  std::string console_;
  TemporaryDirectory directory_;
  Semihosting calls_;
};

TEST_F(SemihostingCalls, FileRoundTrip) {
  const uint32_t out = open("a.txt", 4);       // "w"
  ASSERT_NE(out, kFailed);
  text(2048, "twelve bytes");
  EXPECT_EQ(call(0x05, {out, 2048, 12}), 0u);
  EXPECT_EQ(call(0x02, {out}), 0u);
  EXPECT_EQ(read_text_file(directory_.path("root/a.txt")), "twelve bytes");

  const uint32_t in = open("a.txt", 0);
  EXPECT_EQ(call(0x0C, {in}), 12u);
  EXPECT_EQ(call(0x0A, {in, 7}), 0u);
  EXPECT_EQ(call(0x06, {in, 4096, 100}), 95u);  // bytes not read
  EXPECT_EQ(std::memcmp(memory_.data() + 4096, "bytes", 5), 0);
  EXPECT_EQ(call(0x09, {in}), 0u);
  EXPECT_EQ(call(0x02, {in}), 0u);
  EXPECT_EQ(call(0x02, {in}), kFailed);         // closed already
}

TEST_F(SemihostingCalls, FilesStayInsideTheDirectory) {
  write_file(directory_.path("outside.txt"), std::string("secret"));
  std::filesystem::create_symlink(directory_.path("outside.txt"), directory_.path("root/link"));
  for (const char* name : {"../outside.txt", "/etc/passwd", "x/../../outside.txt", "link", "", "."})
    EXPECT_EQ(open(name, 0), kFailed) << name;
  EXPECT_EQ(call(0x13, {}), static_cast<uint32_t>(EACCES));
  text(1024, "../outside.txt");
  EXPECT_EQ(call(0x0E, {1024, 14}), kFailed);
  EXPECT_TRUE(std::filesystem::exists(directory_.path("outside.txt")));
}

TEST_F(SemihostingCalls, NoDirectoryNoFiles) {
  Semihosting closed;
  SemihostingPort port = calls_.port();
  closed.configure(std::move(port), "", "");
  text(1024, "a.txt");
  const uint32_t block[] = {1024, 4, 5};
  std::memcpy(memory_.data() + 256, block, sizeof block);
  EXPECT_EQ(closed.call(0x01, 256).result, kFailed);
}

TEST_F(SemihostingCalls, ConsoleAndFeatures) {
  const uint32_t tt = open(":tt", 4);
  text(2048, "hi\n");
  EXPECT_EQ(call(0x05, {tt, 2048, 3}), 0u);
  EXPECT_EQ(console_, "hi\n");
  EXPECT_EQ(call(0x09, {tt}), 1u);
  const uint32_t features = open(":semihosting-features", 0);
  EXPECT_EQ(call(0x06, {features, 4096, 5}), 0u);
  EXPECT_EQ(std::memcmp(memory_.data() + 4096, "SHFB\x03", 5), 0);
}

TEST_F(SemihostingCalls, ClockCommandLineAndExit) {
  EXPECT_EQ(call(0x10, {}), 250u);
  EXPECT_EQ(call(0x31, {}), 400'000'000u);
  EXPECT_EQ(call(0x30, {}), 0u);
  EXPECT_EQ(memory_[256 + 4], 2);
  EXPECT_EQ(call(0x15, {4096, 100}), 0u);
  EXPECT_STREQ(reinterpret_cast<const char*>(memory_.data() + 4096), "app one two");
  EXPECT_EQ(call(0x15, {4096, 5}), kFailed);
  EXPECT_EQ(calls_.call(0x18, 0x20026).exit_code, 0);
  EXPECT_EQ(calls_.call(0x18, 0x20023).exit_code, 1);
  const uint32_t block[] = {0x20026, 7};
  std::memcpy(memory_.data() + 256, block, sizeof block);
  EXPECT_EQ(calls_.call(0x20, 256).exit_code, 7);
}

TEST_F(SemihostingCalls, BadPointersNeverCrash) {
  const uint32_t tt = open(":tt", 4);
  EXPECT_EQ(call(0x05, {tt, 0xFFFFFFF0, 0xFFFFFFFF}), kFailed);
  EXPECT_EQ(call(0x01, {0xFFFFFFF0, 0, 20}), kFailed);
  EXPECT_EQ(call(0x01, {1024, 0, 0xFFFFFFFF}), kFailed);
  EXPECT_THAT(*calls_.call(0x05, 0xFFFFFFF0).fault, HasSubstr("outside memory"));
  EXPECT_THAT(*calls_.call(0x99, 0).fault, HasSubstr("unknown semihosting operation 0x99"));
}

// SYS_CLOCK follows the simulated clock: 64 MHz after reset, 640000 cycles per 10 ms.
GTEST_TEST(SemihostingOnTheMachine, ClockIsSimulatedTime) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = test::run_on(machine, test::assemble(R"(
    mov32 r2, 960000
  1: subs r2, #1
    bne 1b
    movs r0, #0x10
    bkpt 0xab
    mov r4, r0
    exit 0)"));
  EXPECT_EQ(run.r[4], 3u);
  EXPECT_TRUE(run.result.time_observed);
}

}  // namespace
}  // namespace mcusim
