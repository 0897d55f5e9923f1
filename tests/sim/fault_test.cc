// SPDX-License-Identifier: MIT
// Faults go to the firmware's handlers with the registers of Armv7-M ARM B1.5.14: what is
// stacked, CFSR, HFSR and the address registers; and end the run where a handler only hangs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/timing/core_estimator.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using test::assemble;
using test::run_on;
using testing::HasSubstr;

// r4 = CFSR, r5 = HFSR, r6 = stacked PC, r7 = MMFAR, r8 = BFAR; exits with the number `code`.
#define REPORT(code)                                                                 \
  "mov32 r0, 0xE000ED28\n ldr r4, [r0]\n ldr r5, [r0, #4]\n ldr r7, [r0, #12]\n"     \
  "ldr r8, [r0, #16]\n ldr r6, [sp, #24]\n exit " #code "\n"
#define HANDLERS                                                                     \
  "handler hardfault\n" REPORT(3) "handler memmanage\n" REPORT(4) "handler busfault\n" \
  REPORT(5) "handler usagefault\n" REPORT(6)
#define ENABLE "mov32 r0, 0xE000ED24\n mov32 r1, 0x70000\n str r1, [r0]\n"

struct Case {
  const char* name;
  const char* body;                // the fault is at `here`, or at `there` when a jump is to blame
  int exit_code;
  uint32_t cfsr, hfsr;
  std::optional<uint32_t> address; // in MMFAR or BFAR
  bool stacked_elsewhere = false;
};

class Faults : public testing::TestWithParam<Case> {};

TEST_P(Faults, GoToTheHandler) {
  const Case& c = GetParam();
  const auto program = assemble(std::string(c.body) + "\n exit 99", HANDLERS);
  for (const bool timed : {false, true}) {
    Machine machine(load_board("stm32h743"), {});
    const auto estimator = make_estimator(load_board("stm32h743"));
    if (timed) machine.attach(estimator.get(), estimator.get());
    const auto run = run_on(machine, program);
    // An exit from a fault handler is a failure, told by its fault.
    EXPECT_EQ(run.result.reason, EndReason::fault) << run.result.message;
    EXPECT_THAT(run.result.message, HasSubstr("handler exited with code"));
    EXPECT_EQ(run.result.exit_code, c.exit_code);
    EXPECT_EQ(run.r[4], c.cfsr);
    EXPECT_EQ(run.r[5], c.hfsr);
    if (!c.stacked_elsewhere) {
      EXPECT_EQ(run.r[6], program.symbol_address("here"));
    }
    if (c.address) {
      EXPECT_EQ(c.cfsr & 0x80 ? run.r[7] : run.r[8], *c.address);
    }
    EXPECT_EQ(run.r[9], 7u) << "what came before is done";
    EXPECT_EQ(run.r[10], 0u) << "what faulted and came after is not";
    ASSERT_EQ(run.result.faults.size(), 1u);
    EXPECT_THAT(run.result.faults[0], HasSubstr("_handler"));
  }
}

#define START "mov r10, #0\n mov r9, #7\n"
// A region of 256 bytes at 0x20001000 with these attributes; the default map under it.
#define MPU_REGION(attributes)                                                          \
  "mov32 r0, 0xE000ED98\n movs r1, #5\n str r1, [r0]\n mov32 r1, 0x20001000\n"          \
  "str r1, [r0, #4]\n mov32 r1, " attributes " | 7 << 1 | 1\n str r1, [r0, #8]\n"       \
  "movs r1, #5\n str r1, [r0, #-4]\n dsb\n isb\n mov32 r2, 0x20001000\n"
#define TRAP(bit) "mov32 r0, 0xE000ED14\n ldr r1, [r0]\n orr r1, #" bit "\n str r1, [r0]\n"
const Case kCases[] = {
    {"Undefined", START ENABLE "here: udf #1\n mov r10, #1", 6, 1u << 16, 0, {}},
    {"UndefinedEscalates", START "here: udf #1\n mov r10, #1", 3, 1u << 16, 1u << 30, {}},
    {"BusRead", START ENABLE "mov32 r2, 0x68000000\nhere: ldr r10, [r2, #4]\n mov r10, #1", 5,
     1u << 9 | 1u << 15, 0, 0x68000004},
    {"BusWriteEscalates", START "mov32 r2, 0x68000000\nhere: str r2, [r2]\n mov r10, #1", 3,
     1u << 9 | 1u << 15, 1u << 30, 0x68000000},
    {"BusFetch", START ENABLE "mov32 r2, 0x68000001\n bx r2\nhere: mov r10, #1", 5, 1u << 8, 0, {}, true},
    {"NoThumb", START ENABLE "ldr r2, =here\n bic r2, #1\n bx r2\n.align 2\nhere: mov r10, #1", 6, 1u << 17, 0, {}},
    {"Division", START ENABLE TRAP("16") "movs r2, #9\n movs r3, #0\n b 1f\n1: nop\nhere: udiv r10, r2, r3\n mov r10, #1",
     6, 1u << 25, 0, {}},
    {"UnalignedTrap", START ENABLE TRAP("8") "mov32 r2, 0x20000101\n str r2, [r2, #3]\nhere: ldr r10, [r2]\n mov r10, #1",
     6, 1u << 24, 0, {}},
    {"UnalignedLdm", START ENABLE "mov32 r2, 0x20000102\nhere: ldm r2, {r10, r11}\n mov r10, #1", 6, 1u << 24, 0, {}},
    {"MpuNoAccess", START ENABLE MPU_REGION("0 << 24") "str r9, [r2, #-4]\nhere: ldr r10, [r2, #252]\n mov r10, #1",
     4, 0x82, 0, 0x200010FC},
    {"MpuReadOnly", START ENABLE MPU_REGION("6 << 24") "ldrb r1, [r2, #256]\nhere: str r9, [r2, #8]\n mov r10, #1",
     4, 0x82, 0, 0x20001008},
    {"MpuEscalates", START MPU_REGION("0 << 24") "here: ldr r10, [r2]\n mov r10, #1", 3, 0x82, 1u << 30, 0x20001000},
    {"MpuUnprivileged", START ENABLE MPU_REGION("1 << 24") "str r9, [r2]\n movs r3, #1\n msr control, r3\n"
     "here: isb\n mov r10, #1", 4, 1, 0, {}},       // the default map is for privileged code
};

INSTANTIATE_TEST_SUITE_P(Kinds, Faults, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

GTEST_TEST(Mpu, ForbidsToExecute) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(
      ENABLE MPU_REGION("3 << 24 | 1 << 28")
      "mov32 r1, 0xBF00BF00\n str r1, [r2]\n str r1, [r2, #4]\n orr r2, #1\n bx r2", HANDLERS));
  EXPECT_EQ(run.result.reason, EndReason::fault) << run.result.message;
  EXPECT_EQ(run.result.exit_code, 4);
  EXPECT_EQ(run.r[4], 1u);
  EXPECT_EQ(run.r[6], 0x20001000u);
}

// The subregion of 0x20001000 to 0x2000101F is off, and a higher region opens another eighth.
GTEST_TEST(Mpu, SubregionsAndHigherRegionsOpen) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(
      ENABLE MPU_REGION("0 << 24 | 1 << 8")
      "mov32 r0, 0xE000ED9C\n mov32 r1, 0x20001030 | 9\n str r1, [r0]\n"
      "mov32 r1, 3 << 24 | 4 << 1 | 1\n str r1, [r0, #4]\n"
      "str r2, [r2, #28]\n str r2, [r2, #32]\n str r2, [r2, #60]\n str r2, [r2, #64]\n exit 0", HANDLERS));
  EXPECT_EQ(run.result.exit_code, 4) << run.result.message;
  EXPECT_EQ(run.r[7], 0x20001040u);
}

// A handler that repairs the cause and returns: the instruction runs again.
GTEST_TEST(Faults, AHandlerMayRepairAndReturn) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(
      START ENABLE MPU_REGION("0 << 24") "movs r3, #0\n str r9, [r2, #4]\n ldr r4, [r2, #4]\n exit 0",
      "handler memmanage\n add r10, #1\n mov32 r0, 0xE000ED94\n movs r1, #0\n str r1, [r0]\n dsb\n bx lr"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.result.exit_code, 0);
  EXPECT_EQ(run.r[4], 7u);
  EXPECT_EQ(run.r[10], 1u);
}

// The vendors' default handlers: the user is told the fault, not the loop.
GTEST_TEST(Faults, AHandlerThatOnlyHangsEndsTheRun) {
  for (const char* handler : {"handler hardfault\n b .", "handler hardfault\n push {r7}\n add r7, sp, #0\n1: nop\n b 1b",
                              "handler hardfault\n cpsid i\n bkpt 0\n b ."}) {
    Machine machine(load_board("stm32h743"), {});
    const auto run = run_on(machine, assemble("mov32 r2, 0x68000000\nhere: ldr r3, [r2]\n exit 0", handler));
    EXPECT_EQ(run.result.reason, EndReason::fault);
    EXPECT_THAT(run.result.message, HasSubstr("read of unmapped address 0x68000000"));
  }
}

GTEST_TEST(Faults, AFaultInsideHardFaultLocksUp) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("udf #0", "handler hardfault\n mov32 r0, 0x68000000\n str r0, [r0]\n bx lr"));
  EXPECT_EQ(run.result.reason, EndReason::fault);
  EXPECT_THAT(run.result.message, HasSubstr("locks up"));
}

}  // namespace
}  // namespace mcusim
