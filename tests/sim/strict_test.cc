// SPDX-License-Identifier: MIT
// Each strict check: what a board would do wrongly or fault on ends the run with a
// message that names the cause; the same guest runs on without strict checks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using test::assemble;
using test::run_on;
using testing::HasSubstr;

struct StrictCase {
  const char* name;
  const char* body;
  const char* message;     // part of it
  const char* instruction; // at which it must point
  EndReason without_strict = EndReason::exited;
};

class Strict : public testing::TestWithParam<StrictCase> {};

TEST_P(Strict, ViolationIsReportedAndOnlyThen) {
  const StrictCase& c = GetParam();
  test::GuestOptions guest;
  guest.linker_flags = "--defsym=__stack_limit=0x2001ff00";
  const Program program = assemble(std::string(c.body) + "\n exit 0", "", guest);
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, program);
  EXPECT_EQ(run.result.reason, EndReason::strict_violation) << run.result.message;
  EXPECT_THAT(run.result.message, HasSubstr(c.message));
  EXPECT_THAT(run.result.message, HasSubstr(c.instruction));
  EXPECT_THAT(run.result.message, HasSubstr("<_start+0x"));
  MachineOptions lax;
  lax.strict = false;
  Machine tolerant(load_board("stm32h743"), lax);
  EXPECT_EQ(run_on(tolerant, program).result.reason, c.without_strict);
}

#define BASE "mov32 r1, 0x20000100\n movs r0, #0\n str r0, [r1]\n str r0, [r1, #4]\n" \
             " str r0, [r1, #8]\n str r0, [r1, #12]\n adds r1, #2\n"
#define FPU "mov32 r3, 0xE000ED88\n mov r2, #0x00F00000\n str r2, [r3]\n dsb\n isb\n"

const StrictCase kCases[] = {
    {"Ldm", BASE "ldmia r1, {r2, r3}", "unaligned address 0x20000102", "`ldm"},
    {"Stm", BASE "stmia r1, {r2, r3}", "unaligned address 0x20000102", "`stm"},
    {"Ldrd", BASE "ldrd r2, r3, [r1]", "unaligned address 0x20000102", "`ldrd r2, r3, [r1]`"},
    {"Strd", BASE "strd r2, r3, [r1]", "unaligned address 0x20000102", "`strd r2, r3, [r1]`"},
    {"Ldrex", BASE "ldrex r2, [r1]", "unaligned address 0x20000102", "`ldrex r2, [r1]`",
     EndReason::fault},
    {"Ldrexh", BASE "subs r1, #1\n ldrexh r2, [r1]", "needs 2-byte alignment", "`ldrexh",
     EndReason::fault},
    {"VldrDouble", FPU BASE "vldr d0, [r1]", "unaligned address 0x20000102", "`vldr d0, [r1]`"},
    {"VldrSingle", FPU BASE "vldr s0, [r1]", "unaligned address 0x20000102", "`vldr s0, [r1]`"},
    {"Vstr", FPU BASE "vstr d0, [r1]", "unaligned address 0x20000102", "`vstr d0, [r1]`"},
    {"Vldm", FPU BASE "vldmia r1, {d0, d1}", "unaligned address 0x20000102", "`vldm"},
    {"FpuOff", "nop\n vmov.f32 s0, #1.0", "FPU instruction before CPACR enables", "`vmov.f32"},
    {"WriteToFlash", "mov32 r1, 0x08001000\n str r1, [r1]",
     "write to read-only memory at 0x08001000", "`str r1, [r1]`", EndReason::strict_violation},
    {"ExecuteData", "mov32 r1, 0x40000001\n bx r1", "memory that cannot execute", "`bx r1`",
     EndReason::strict_violation},
    {"NeverWritten", "mov32 r1, 0x24000000\n ldr r2, [r1]",
     "read of 4 bytes at 0x24000000: this memory was never written", "`ldr r2, [r1]`"},
    {"StackByPush", "sub sp, #240\n b 1f\n1: push {r0-r3}\n push {r0-r3}\n add sp, #272",
     "stack overflow: 0x2001fef0 is below the stack limit 0x2001ff00", "`push"},
    {"StackBySubtraction", "sub sp, #512\n b 1f\n1: nop", "stack overflow: 0x2001fe00", "<_start"},
};

INSTANTIATE_TEST_SUITE_P(Checks, Strict, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

// SP[1:0] are RAZ/WI (Armv7-M ARM B1.4.7). CubeIDE's linker scripts for the STM32F7 put the
// stack at 0x2007FFFF, and start-up code loads SP with it.
GTEST_TEST(StrictChecks, TheStackPointerHasNoLowBits) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(
      "mov32 r1, 0x2001FFF7\n mov sp, r1\n b 1f\n1: mov r4, sp\n push {r4}\n pop {r5}\n exit 0"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.r[4], 0x2001FFF4u);
  EXPECT_EQ(run.r[5], 0x2001FFF4u);
}

GTEST_TEST(StrictChecks, UnalignedSingleAccessesAreFine) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(BASE "ldr r2, [r1]\n strh r2, [r1, #1]\n exit 0"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
}

// Word-wise string routines and structure copies read bytes that nobody wrote.
GTEST_TEST(StrictChecks, GranuleToleratesPaddingAndExactDoesNot) {
  const Program program = assemble(R"(
    mov32 r1, 0x24000100
    movs r0, #1
    strb r0, [r1, #1]
    ldr r2, [r1]
    ldr r3, [r1, #4]
    exit 0)");
  Machine machine(load_board("stm32h743"), {});
  EXPECT_EQ(run_on(machine, program).result.reason, EndReason::exited);
  MachineOptions exact;
  exact.unwritten_reads = UnwrittenReads::exact;
  Machine strict(load_board("stm32h743"), exact);
  const auto run = run_on(strict, program);
  EXPECT_EQ(run.result.reason, EndReason::strict_violation);
  EXPECT_THAT(run.result.message, HasSubstr("read of 4 bytes at 0x24000100: 3 of them never written"));
}

GTEST_TEST(StrictChecks, HostWrittenAndLoadedMemoryCountsAsWritten) {
  const Program program = assemble("mov32 r1, 0x24000100\n ldr r4, [r1]\n exit 0");
  Machine machine(load_board("stm32h743"), {});
  machine.load(program);
  const uint8_t bytes[] = {1, 2, 3, 4};
  machine.write_memory(0x24000100, bytes);
  EXPECT_EQ(machine.run().reason, EndReason::exited);
  EXPECT_EQ(machine.core_register(4), 0x04030201u);
}

GTEST_TEST(StrictChecks, SkippedInstructionsViolateNothing) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r1, 0x24000002
    cmp r1, r1
    itt ne
    ldrdne r2, r3, [r1]
    vmovne.f32 s0, s1
    exit 0)"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.result.skipped, 1u);
}

GTEST_TEST(StrictChecks, NullPointerCall) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("movs r0, #0\n blx r0\n exit 0"));
  EXPECT_EQ(run.result.reason, EndReason::fault);
  EXPECT_THAT(run.result.message, HasSubstr("jump to 0x00000000 without the Thumb bit"));
  EXPECT_THAT(run.result.message, HasSubstr("`blx r0`"));
  EXPECT_EQ(run.result.instructions, 2u);
}

GTEST_TEST(StrictChecks, ExecutingMemoryThatNobodyWrote) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("mov32 r0, 0x24000001\n blx r0\n exit 0"));
  EXPECT_EQ(run.result.reason, EndReason::strict_violation);
  EXPECT_THAT(run.result.message, HasSubstr("code at 0x24000000 was never written"));
}

GTEST_TEST(StrictChecks, UndefinedInstruction) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("movs r0, #0\n movs r1, #1\n udf #0\n exit 0"));
  EXPECT_EQ(run.result.reason, EndReason::fault);
  EXPECT_THAT(run.result.message, HasSubstr("undefined instruction"));
  EXPECT_THAT(run.result.message, HasSubstr("<_start+0x4>"));
  EXPECT_EQ(run.result.instructions, 2u);
}

}  // namespace
}  // namespace mcusim
