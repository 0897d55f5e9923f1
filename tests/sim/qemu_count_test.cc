// SPDX-License-Identifier: MIT
// An independent oracle for instruction counts: QEMU's MPS2 AN500 board runs the same
// ELF with one instruction per translation block; its log has one line each.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "tests/sim/support/guest.h"
#include "tests/sim/support/recorder.h"

namespace mcusim {
namespace {

using test::TemporaryDirectory;

// Integer, float, 64-bit, tables, recursion: what compilers turn into IT blocks,
// LDM/STM, LDRD, TBB and calls.
constexpr const char* kSource = R"(
typedef unsigned int u32; typedef unsigned long long u64; typedef signed char s8;
static u32 state = 12345;
static u32 next(void) { state = state * 1664525u + 1013904223u; return state >> 8; }
static s8 buffer[512];
static float weights[32];
static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static int clamp(int x) { return x > 127 ? 127 : x < -128 ? -128 : x; }
static u32 crc(const s8* p, int n) {
  u32 c = ~0u;
  for (int i = 0; i < n; i++) {
    c ^= (unsigned char)p[i];
    for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
  }
  return ~c;
}
static int kind(u32 x) {
  switch (x & 7) {
    case 0: return 3; case 1: return x & 1; case 2: return (int)(x * 7); case 3: return 11;
    case 4: return (int)(x / 3); case 5: return -1; case 6: return (int)(x % 5); default: return 9;
  }
}
struct big { u64 a; u32 b[6]; } x, y;
int main(void) {
  u64 sum = 0;
  for (int i = 0; i < 512; i++) buffer[i] = (s8)clamp((int)(next() & 511) - 256);
  for (int i = 0; i < 32; i++) weights[i] = (float)(next() & 255) * 0.25f;
  float f = 0; double d = 1.5;
  for (int i = 0; i < 512; i++) { f += weights[i & 31] * (float)buffer[i]; d = d * 0.5 + f; }
  for (int i = 0; i < 200; i++) sum += (u64)kind(next()) * next();
  x.a = sum; x.b[3] = (u32)f;
  for (int i = 0; i < 10; i++) { y = x; x.b[i % 6] += y.b[(i + 1) % 6] + (u32)y.a; }
  for (int i = 0; i + 4 < 512; i += 3) sum += *(volatile u32*)(buffer + i);  // unaligned
  int result = (int)(crc(buffer, 512) ^ (u32)sum ^ (u32)(sum >> 32) ^ x.b[2] ^ (u32)(int)d) + fib(12);
  return result & 0x7f;
}
)";

// Lines "Trace ..." of -d nochain,exec under -singlestep.
uint64_t qemu_instructions(const TemporaryDirectory& directory, const std::string& elf,
                           int& exit_code) {
  const std::string log = directory.path("qemu.log");
  const int status = std::system(fmt::format(
      "timeout 300 qemu-system-arm -M mps2-an500 -nographic -semihosting -singlestep "
      "-d nochain,exec -D {} -kernel {} < /dev/null > /dev/null 2>&1", log, elf).c_str());
  exit_code = WEXITSTATUS(status);
  std::FILE* file = std::fopen(log.c_str(), "r");
  if (file == nullptr) throw Error("{}: QEMU wrote no log", log);
  uint64_t count = 0;
  char line[512];
  while (std::fgets(line, sizeof line, file))
    if (std::string_view(line).starts_with("Trace")) ++count;
  std::fclose(file);
  return count;
}

class QemuCount : public testing::TestWithParam<const char*> {};

TEST_P(QemuCount, InstructionsAndResultAreEqual) {
  const TemporaryDirectory directory;
  test::GuestOptions guest;
  guest.flash = 0;
  guest.stack_top = 0x20100000;
  const std::string elf = test::build_c(directory, kSource, GetParam(), guest);
  for (const bool fast : {false, true}) {
    MachineOptions options;
    options.fast = fast;
    Machine machine(load_board("mps2_an500"), options);
    test::Recorder recorder;
    machine.attach(&recorder, nullptr);
    const auto run = test::run_on(machine, load_program(elf));
    ASSERT_EQ(run.result.reason, EndReason::exited) << run.result.message;
    int qemu_exit = -1;
    const uint64_t expected = qemu_instructions(directory, elf, qemu_exit);
    EXPECT_EQ(run.result.exit_code, qemu_exit);
    EXPECT_EQ(run.result.instructions, expected);
    EXPECT_EQ(recorder.instructions(), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, QemuCount, testing::Values("-O0", "-O2", "-Os", "-O3"),
                         [](const auto& test) { return std::string(test.param + 1); });

}  // namespace
}  // namespace mcusim
