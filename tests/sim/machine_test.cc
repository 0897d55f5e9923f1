// SPDX-License-Identifier: MIT
// The machine end to end on small guests: how runs end, what is counted, what the
// result says.
#include "sim/machine/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memmap/base/error.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using test::assemble;
using test::run_on;
using testing::HasSubstr;

GTEST_TEST(Machine, ExitsWithTheGuestsCode) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("movs r4, #7\n exit 42"));
  EXPECT_EQ(run.result.reason, EndReason::exited);
  EXPECT_EQ(run.result.exit_code, 42);
  EXPECT_EQ(run.r[4], 7u);
  EXPECT_EQ(run.result.instructions, 4u);   // movs, ldr, movs, bkpt
}

GTEST_TEST(Machine, CountsEveryInstructionOfALoop) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov r0, #1000
    movs r2, #0
  1: adds r2, #3
    subs r0, #1
    bne 1b
    mov r4, r2
    exit 0)"));
  EXPECT_EQ(run.r[4], 3000u);
  EXPECT_EQ(run.result.instructions, 2 + 3 * 1000 + 1 + 3u);
}

GTEST_TEST(Machine, ConsoleByWrite0AndItm) {
  std::string text;
  MachineOptions options;
  options.console = [&](std::string_view part) { text += part; };
  Machine machine(load_board("stm32h743"), options);
  run_on(machine, assemble(R"(
    ldr r1, =message
    movs r0, #4
    bkpt 0xab
    mov32 r2, 0xE0000000
    movs r3, #'!'
    strb r3, [r2]
    exit 0)", "message: .asciz \"hello\""));
  EXPECT_EQ(text, "hello!");
}

GTEST_TEST(Machine, BudgetEndsAndContinues) {
  MachineOptions options;
  options.max_instructions = 100;
  Machine machine(load_board("stm32h743"), options);
  auto run = run_on(machine, assemble("mov r0, #1000\n1: subs r0, #1\n bne 1b\n exit 3"));
  EXPECT_EQ(run.result.reason, EndReason::budget);
  EXPECT_GE(run.result.instructions, 100u);
  EXPECT_LT(run.result.instructions, 103u);
  machine.set_max_instructions(UINT64_MAX);
  const RunResult rest = machine.run();
  EXPECT_EQ(rest.reason, EndReason::exited);
  EXPECT_EQ(rest.exit_code, 3);
  EXPECT_EQ(rest.instructions, 1 + 2000 + 3u);
}

GTEST_TEST(Machine, UntilPcStopsBeforeTheInstruction) {
  const Program program = assemble(R"(
    movs r0, #0
  1: adds r0, #1
    .global target
    .type target, %function
  target:
    adds r4, #1
    cmp r0, #3
    bne 1b
    exit 0)");
  MachineOptions options;
  options.until_pc = program.symbol_address("target");
  Machine machine(load_board("stm32h743"), options);
  machine.load(program);
  for (uint32_t round = 0; round < 3; ++round) {
    const RunResult result = machine.run();
    EXPECT_EQ(result.reason, EndReason::until_pc);
    EXPECT_EQ(result.pc, *options.until_pc);
    EXPECT_EQ(machine.core_register(4), round);
    EXPECT_EQ(result.instructions, 2 + 4 * round);
  }
  EXPECT_EQ(machine.run().reason, EndReason::exited);
}

GTEST_TEST(Machine, UntilTextCountsOccurrences) {
  MachineOptions options;
  options.until_text = "ab";
  options.until_text_count = 3;
  Machine machine(load_board("stm32h743"), options);
  const auto run = run_on(machine, assemble(R"(
    mov32 r2, 0xE0000000
  1: adds r4, #1
    movs r3, #'a'
    strb r3, [r2]
    movs r3, #'b'
    strb r3, [r2]
    b 1b)"));
  EXPECT_EQ(run.result.reason, EndReason::until_text);
  EXPECT_EQ(run.r[4], 3u);
}

GTEST_TEST(Machine, FaultNamesAddressSymbolLayerAndHistory) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r2, 0xE0000004
    movs r3, #5
    str r3, [r2]
    mov32 r1, 0x20020000
    bl faulty
    exit 0)", R"(
    .thumb_func
    .type faulty, %function
  faulty:
    ldr r0, [r1, #-4]!
    str r0, [r1]
    ldr r0, [r1, #4]
    bx lr
    .size faulty, . - faulty)"));
  EXPECT_EQ(run.result.reason, EndReason::strict_violation);   // the first load: never written
  MachineOptions lax;
  lax.strict = false;
  Machine other(load_board("stm32h743"), lax);
  const auto fault = run_on(other, assemble(R"(
    mov32 r2, 0xE0000004
    movs r3, #5
    str r3, [r2]
    mov32 r1, 0x2001fffc
    bl faulty
    exit 0)", R"(
    .thumb_func
    .type faulty, %function
  faulty:
    ldr r0, [r1]
    str r0, [r1]
    ldr r0, [r1, #4]
    bx lr
    .size faulty, . - faulty)"));
  EXPECT_EQ(fault.result.reason, EndReason::fault);
  EXPECT_EQ(fault.result.data_address, 0x20020000u);
  EXPECT_THAT(fault.result.message, HasSubstr("read of unmapped address 0x20020000 (4 bytes)"));
  EXPECT_THAT(fault.result.message, HasSubstr("<faulty+0x4> `ldr r0, [r1, #4]`, layer 5"));
  ASSERT_GE(fault.result.last.size(), 3u);
  EXPECT_EQ(fault.result.last.back().text, "str r0, [r1]");
  EXPECT_EQ(fault.result.instructions, 6u + 1 + 2);
}

GTEST_TEST(Machine, WaitForeverIsItsOwnEnd) {
  Machine machine(load_board("stm32h743"), {});
  EXPECT_EQ(run_on(machine, assemble("movs r4, #1\n wfi\n exit 0")).result.reason,
            EndReason::wait_forever);
}

GTEST_TEST(Machine, SelfBranchIsReportedWithTheLastPolledRegister) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0x40007000
    ldr r1, [r0]
    cpsid i
    b .)"));
  EXPECT_EQ(run.result.reason, EndReason::self_branch);
  EXPECT_THAT(run.result.message, HasSubstr("0x40007000"));
}

GTEST_TEST(Machine, TouchedBytesPerRegion) {
  Machine machine(load_board("stm32h743"), {});
  run_on(machine, assemble(R"(
    mov32 r1, 0x24000100
    movs r0, #1
    strb r0, [r1]
    strh r0, [r1, #2]
    ldrb r2, [r1]
    exit 0)"));
  for (const auto& use : machine.region_use()) {
    if (use.region != "AXI_SRAM") continue;
    EXPECT_EQ(use.bytes_written, 3u);
    EXPECT_EQ(use.bytes_read, 1u);
    EXPECT_EQ(use.bytes_touched, 3u);
    EXPECT_EQ(use.lowest, 0x24000100u);
    EXPECT_EQ(use.end, 0x24000104u);
  }
  EXPECT_TRUE(machine.touched(0x24000102));
  EXPECT_FALSE(machine.touched(0x24000101));
}

GTEST_TEST(Machine, StackHighWater) {
  Machine machine(load_board("stm32h743"), {});
  run_on(machine, assemble("push {r4-r7}\n sub sp, #100\n b 1f\n1: add sp, #100\n pop {r4-r7}\n exit 0"));
  EXPECT_EQ(machine.stack_use().used_bytes(), 116u);
}

// The estimator refuses an instruction it does not know from inside an engine hook.
GTEST_TEST(Machine, ExceptionsOfASinkReachTheCaller) {
  class Refusing : public trace::RetiredSink {
   public:
    void block_defined(const trace::BlockInfo&) override {
      if (++blocks == 2) throw Error("unknown instruction class");
    }
    void run(const trace::BlockRun&) override {}
    void mark(const trace::Mark&) override {}
    void control(const trace::Control&) override {}
    void exception(const trace::Exception&) override {}
    int blocks = 0;
  };
  Machine machine(load_board("stm32h743"), {});
  Refusing sink;
  machine.attach(&sink, nullptr);
  machine.load(assemble("movs r0, #1\n b 1f\n1: movs r0, #2\n exit 0"));
  EXPECT_THROW(machine.run(), Error);
}

}  // namespace
}  // namespace mcusim
