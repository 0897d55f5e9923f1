// SPDX-License-Identifier: MIT
// Drivers written the way the reference manual describes them (RM0433, RM0385), not taken
// from anyone: each waits for the bits it must wait for, with a limit, and says by number
// which step failed. Nothing outside the chip is attached.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/timing/core_estimator.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

constexpr const char* kCommon = R"(
typedef unsigned int u32; typedef unsigned short u16; typedef unsigned char u8;
#define R(a) (*(volatile u32*)(a))
#define R8(a) (*(volatile u8*)(a))
#define R16(a) (*(volatile u16*)(a))
static int until(u32 address, u32 mask, u32 value) {
  for (u32 i = 0; i < 100000; i++) if ((R(address) & mask) == value) return 1;
  return 0;
}
#define CHECK(step, condition) do { if (!(condition)) return step; } while (0)
)";

constexpr const char* kH743 = R"(
static volatile u32 compares, updates;
void irq28_handler(void) { R(0x40000010) = ~(1u << 1); compares++; }
void irq25_handler(void) { R(0x40010010) = 0; updates++; }
static int erase(u32 sector) {
  R(0x5200210C) = (R(0x5200210C) & ~0x700u) | 1 << 2 | sector << 8;
  R(0x5200210C) |= 1 << 7;
  int ready = until(0x52002110, 4, 0);                       // QW
  R(0x5200210C) &= ~(1u << 2);
  return ready;
}
int main(void) {
  // Slow oscillators, backup domain, clock for the RTC.
  R(0x58024800) |= 1 << 8;
  R(0x58024474) |= 1; CHECK(1, until(0x58024474, 2, 2));
  R(0x58024470) |= 1; CHECK(2, until(0x58024470, 2, 2));
  R(0x58024470) &= ~1u; CHECK(3, until(0x58024470, 2, 0));
  R(0x58024808) |= 1; CHECK(4, until(0x58024808, 1 << 16, 1 << 16));
  R(0x58004024) = 0xCA; R(0x58004024) = 0x53;
  R(0x5800400C) |= 1 << 7; CHECK(5, until(0x5800400C, 1 << 6, 1 << 6));
  R(0x58004000) = 0x123456; R(0x5800400C) &= ~(1u << 7);
  CHECK(6, until(0x5800400C, 1 << 6, 0) && until(0x5800400C, 1 << 5, 1 << 5));
  // Random numbers.
  R(0x48021800) = 4; CHECK(7, until(0x48021804, 1, 1));
  u32 first = R(0x48021808), second = R(0x48021808);
  CHECK(8, first != second);
  // GPIO: an output reads back, BSRR sets and resets, an input sees its pull-up.
  R(0x58020400) = 1 << 2; R(0x5802040C) = 1 << 4;
  R(0x58020418) = 1 << 1; CHECK(9, (R(0x58020410) & 6) == 6 && R(0x58020414) == 2);
  R(0x58020418) = 1 << 17; CHECK(10, (R(0x58020410) & 6) == 4 && R(0x58020414) == 0);
  // Flash: locked until both keys; erased is all ones; programming only clears bits.
  volatile u32* word = (volatile u32*)0x081E0000;
  R(0x5200210C) = 2; CHECK(11, R(0x5200210C) == 1);
  R(0x52002104) = 0x45670123; R(0x52002104) = 0xCDEF89AB;
  CHECK(12, (R(0x5200210C) & 1) == 0);
  CHECK(13, erase(7));
  CHECK(14, word[0] == 0xFFFFFFFF && word[32767] == 0xFFFFFFFF);
  R(0x5200210C) |= 2;
  for (u32 i = 0; i < 8; i++) word[i] = 0x12340000 + i;
  CHECK(15, until(0x52002110, 4, 0) && (R(0x52002110) & 1 << 16));
  R(0x52002114) = 1 << 16; CHECK(16, (R(0x52002110) & 1 << 16) == 0);
  R(0x5200210C) &= ~2u;
  for (u32 i = 0; i < 8; i++) CHECK(17, word[i] == 0x12340000 + i);
  R(0x5200210C) |= 2; word[0] = 0xFFFF0000; R(0x5200210C) &= ~2u;
  CHECK(18, word[0] == 0x12340000);
  CHECK(19, erase(7) && word[0] == 0xFFFFFFFF);
  R(0x5200210C) |= 1;
  // SPI1, master, 8 bits: four frames out, four idle frames in, end of transfer.
  R(0x40013008) = 7; R(0x4001300C) = 1 << 22; R(0x40013004) = 4;
  R(0x40013000) = 1; R(0x40013000) |= 1 << 9;
  for (u32 i = 0; i < 4; i++) {
    CHECK(20, until(0x40013014, 2, 2)); R8(0x40013020) = (u8)i;
    CHECK(21, until(0x40013014, 1, 1)); CHECK(22, R8(0x40013030) == 0xFF);
  }
  CHECK(23, until(0x40013014, 8, 8)); R(0x40013018) = 0x18;
  CHECK(24, (R(0x40013014) & 0x19) == 0);
  R(0x40013000) &= ~1u;
  // ADC1: regulator, calibration, enabling, one conversion.
  R(0x40022008) &= ~(1u << 29); R(0x40022008) |= 1 << 28; CHECK(25, until(0x40022000, 1 << 12, 1 << 12));
  R(0x40022008) |= 1u << 31; CHECK(26, until(0x40022008, 1u << 31, 0));
  R(0x40022000) = 1; R(0x40022008) |= 1; CHECK(27, until(0x40022000, 1, 1));
  R(0x40022008) |= 4; CHECK(28, until(0x40022000, 4, 4));
  CHECK(29, R(0x40022040) == 0 && (R(0x40022000) & 4) == 0);
  R(0x40022008) |= 2; CHECK(30, until(0x40022008, 1, 0));
  // TIM2 at 1 MHz, compare every 1000 ticks; TIM1 on APB2 overflows every 500.
  R(0x40000028) = 63; R(0x4000002C) = 999; R(0x40000034) = 250; R(0x40000014) = 1; R(0x40000010) = 0;
  R(0x4000000C) = 2; R(0xE000E100) = 1 << 28;
  R(0x40010028) = 63; R(0x4001002C) = 499; R(0x40010014) = 1; R(0x40010010) = 0;
  R(0x4001000C) = 1; R(0xE000E100) = 1 << 25;
  R(0x40000000) = 1; R(0x40010000) = 1;
  while (R(0x40000024) < 100) {}
  CHECK(31, compares == 0);
  while (compares < 4) {}
  CHECK(32, updates == 6 || updates == 7);                   // 3250 microseconds
  CHECK(33, R(0x40000024) >= 250 && R(0x40000024) < 300);
  return 0;
}
)";

constexpr const char* kF746 = R"(
int main(void) {
  R(0x40023870) |= 1; CHECK(1, until(0x40023870, 2, 2));     // LSE
  R(0x40023874) |= 1; CHECK(2, until(0x40023874, 2, 2));     // LSI
  R(0x40007004) |= 1 << 9; CHECK(3, until(0x40007004, 1 << 3, 1 << 3));
  volatile u32* word = (volatile u32*)0x08040000;            // sector 5, of 256 KB
  R(0x40023C04) = 0x45670123; R(0x40023C04) = 0xCDEF89AB;
  CHECK(4, (R(0x40023C10) & 1u << 31) == 0);
  R(0x40023C10) = 2 << 8 | 1; word[0] = 5; word[65535] = 6; CHECK(5, word[0] == 5 && word[65535] == 6);
  R(0x40023C10) = 2 << 8 | 2 | 5 << 3; R(0x40023C10) |= 1 << 16;
  CHECK(6, until(0x40023C0C, 1 << 16, 0));
  CHECK(7, word[0] == 0xFFFFFFFF && word[65535] == 0xFFFFFFFF);
  R(0x40023C10) = 1u << 31; CHECK(8, R(0x40023C10) == 1u << 31);
  R(0x40013000) = 1 << 6 | 1 << 2;                           // SPI1
  CHECK(9, until(0x40013008, 2, 2)); R8(0x4001300C) = 1;
  CHECK(10, until(0x40013008, 1, 1) && R8(0x4001300C) == 0xFF && until(0x40013008, 1 << 7, 0));
  return 0;
}
)";

int exit_code(const char* board, const char* source, const char* flags) {
  const test::TemporaryDirectory directory;
  const Program program =
      load_program(test::build_c(directory, std::string(kCommon) + source, flags));
  MachineOptions options;
  options.max_instructions = 50'000'000;
  Machine machine(load_board(board), options);
  const auto estimator = make_estimator(load_board(board));
  machine.attach(estimator.get(), estimator.get());
  const auto run = test::run_on(machine, program);
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  return run.result.exit_code;
}

GTEST_TEST(HalDevices, Stm32h743) { EXPECT_EQ(exit_code("stm32h743", kH743, "-O1"), 0); }
GTEST_TEST(HalDevices, Stm32f746) { EXPECT_EQ(exit_code("stm32f746", kF746, "-O1"), 0); }

GTEST_TEST(HalDevices, LockedFlashIsReadOnly) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = test::run_on(machine, test::assemble(R"(
    mov32 r0, 0x52002000
    movs r1, #2
    str r1, [r0, #0x0C]       // PG without the keys
    mov32 r2, 0x081E0000
    str r1, [r2]
    exit 0)"));
  EXPECT_EQ(run.result.reason, EndReason::strict_violation);
  EXPECT_THAT(run.result.message, testing::HasSubstr("write to read-only memory at 0x081e0000"));
}

// An image for a boot loader: its vectors are where it was linked.
GTEST_TEST(HalDevices, AnImageBehindABootLoaderStartsAtItsOwnVectors) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = test::run_on(machine, test::assemble(R"(
    mov32 r0, 0xE000ED08
    ldr r4, [r0]
    exit 0)", "", {.flash = 0x08020000, .linker_flags = {}}));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.r[4], 0x08020000u);
}

}  // namespace
}  // namespace mcusim
