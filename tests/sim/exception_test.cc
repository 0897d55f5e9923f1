// SPDX-License-Identifier: MIT
// Exceptions and interrupts: entry, return, priorities, tail-chaining, and the stress
// test: ticks every few dozen instructions change no result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/support/guest.h"
#include "tests/sim/support/recorder.h"

namespace mcusim {
namespace {

using test::assemble;
using test::Recorder;
using test::run_on;
using testing::ElementsAre;

GTEST_TEST(Exceptions, SysTickCountsItsPeriods) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000E010
    movw r1, #999
    str r1, [r0, #4]
    movs r1, #0
    str r1, [r0, #8]
    movs r1, #7
    str r1, [r0]
    mov32 r2, 0x20000000
    str r4, [r2]
    movw r3, #10000
  1: subs r3, #1
    bne 1b
    ldr r4, [r2]
    exit 0)", R"(
    handler systick
    mov32 r0, 0x20000000
    ldr r1, [r0]
    adds r1, #1
    str r1, [r0]
    bx lr)"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  // 20000 instructions of the loop plus what the handlers take: one period is 1000.
  EXPECT_EQ(run.r[4], 20u);
  EXPECT_EQ(run.result.exceptions, 20u);
  EXPECT_EQ(recorder.exceptions.size(), 40u);
  EXPECT_EQ(recorder.exceptions[0].number, 15u);
  EXPECT_EQ(recorder.exceptions[0].frame_bytes, 32u);
  EXPECT_EQ(recorder.instructions(), run.result.instructions);
}

GTEST_TEST(Exceptions, WfiSleepsUntilTheTick) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000E010
    mov32 r1, 63999
    str r1, [r0, #4]
    str r1, [r0, #8]
    movs r1, #7
    str r1, [r0]
    movs r6, #10
  1: wfi
    subs r6, #1
    bne 1b
    exit 0)", "handler systick\n adds r5, #1\n bx lr"));
  EXPECT_EQ(run.result.reason, EndReason::exited);
  EXPECT_EQ(run.r[5], 10u);
  uint64_t asleep = 0;
  for (const auto& control : recorder.controls)
    if (control.what == trace::Control::What::sleep) asleep += control.value;
  EXPECT_NEAR(static_cast<double>(asleep), 640000, 200);
}

// PendSV at the lowest priority runs after SysTick, without unstacking in between.
GTEST_TEST(Exceptions, TailChainsByPriority) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000ED20
    mov32 r1, 0x10F00000
    str r1, [r0]
    movs r4, #0
    cpsid i
    mov32 r0, 0xE000ED04
    mov32 r1, 0x14000000
    str r1, [r0]
    nop
    cpsie i
    nop
    mov r6, r4
    exit 0)", R"(
    handler systick
    lsls r4, #4
    adds r4, #1
    bx lr
    handler pendsv
    lsls r4, #4
    adds r4, #2
    bx lr)"));
  EXPECT_EQ(run.r[6], 0x12u);
  std::vector<std::string> seen;
  for (const auto& e : recorder.exceptions)
    seen.push_back((e.entry ? "in " : "out ") + std::to_string(e.number) + " " +
                   std::to_string(e.frame_bytes));
  EXPECT_THAT(seen, ElementsAre("in 15 32", "out 15 0", "in 14 0", "out 14 32"));
}

GTEST_TEST(Exceptions, HigherPriorityPreemptsLowerDoesNot) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000E400
    movs r1, #0x80
    strb r1, [r0, #1]       // interrupt 1: 0x80
    movs r1, #0x40
    strb r1, [r0, #2]       // interrupt 2: 0x40
    movs r1, #0x80
    strb r1, [r0, #3]       // interrupt 3: 0x80, equal to 1
    mov32 r0, 0xE000E100
    movs r1, #14
    str r1, [r0]
    movs r4, #0
    movs r1, #2
    str r1, [r0, #0x100]    // pend 1
    b 1f
  1: mov r6, r4
    exit 0)", R"(
    handler irq1
    mov32 r0, 0xE000E200
    movs r1, #12
    str r1, [r0]            // pend 2 and 3
    lsls r4, #4
    adds r4, #1
    b 1f
  1: lsls r4, #4
    adds r4, #0xF
    bx lr
    handler irq2
    lsls r4, #4
    adds r4, #2
    bx lr
    handler irq3
    lsls r4, #4
    adds r4, #3
    bx lr)"));
  EXPECT_EQ(run.r[6], 0x12F3u);
}

GTEST_TEST(Exceptions, BasepriAndPrimaskMask) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000E400
    movs r1, #0x80
    strb r1, [r0, #1]
    mov32 r0, 0xE000E100
    movs r1, #2
    str r1, [r0]
    movs r2, #0x80
    msr basepri, r2
    str r1, [r0, #0x100]
    b 1f
  1: mov r6, r4             // still masked: 0
    movs r2, #0x90
    msr basepri, r2
    b 1f
  1: mov r7, r4             // 1
    exit 0)", "handler irq1\n adds r4, #1\n bx lr"));
  EXPECT_EQ(run.r[6], 0u);
  EXPECT_EQ(run.r[7], 1u);
}

GTEST_TEST(Exceptions, ReturnByPopAndAfterMsrInTheHandler) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000ED04
    mov r1, #0x10000000
    movs r5, #3
  1: str r1, [r0]
    subs r5, #1
    bne 1b
    mov r6, r4
    exit 0)", R"(
    handler pendsv
    push {r4, lr}
    mov32 r2, 0xF8000000
    msr apsr_nzcvq, r2
    ldr r4, [sp]
    adds r4, #1
    str r4, [sp]
    pop {r4, pc})"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.r[6], 3u);
}

// How an RTOS starts its first task: thread mode on the main stack, and a handler
// that returns to a frame it made on the process stack.
GTEST_TEST(Exceptions, HandlerMayReturnToTheOtherStack) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0x20001000
    ldr r1, =task
    str r1, [r0, #24]
    mov32 r1, 0x01000000
    str r1, [r0, #28]
    movs r1, #0
    str r1, [r0]
    str r1, [r0, #4]
    str r1, [r0, #8]
    str r1, [r0, #12]
    str r1, [r0, #16]
    str r1, [r0, #20]
    msr psp, r0
    svc #0
    movs r4, #1
    exit 1
    .thumb_func
  task:
    mov r5, sp
    mrs r6, control
    exit 0)", R"(
    handler svc
    mvn lr, #2
    bx lr)"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.result.exit_code, 0);
  EXPECT_EQ(run.r[5], 0x20001020u);
  EXPECT_EQ(run.r[6] & 2, 2u);
}

GTEST_TEST(Exceptions, ReturnOutsideAnExceptionIsAFault) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("mvn r0, #6\n bx r0"));
  EXPECT_EQ(run.result.reason, EndReason::fault);
  EXPECT_THAT(run.result.message, testing::HasSubstr("exception return 0xfffffff9 outside"));
}

// SIMD with GE and SEL, saturation with Q, float in FP registers, an IT block across a
// 1 KiB line, on the process stack; the handler spoils everything it may.
std::string stress_body(const std::string& load) {
  return R"(
    enable_fpu
    mov32 r0, 0x20010000
    msr psp, r0
    movs r0, #2
    msr control, r0
    isb
    mov32 r0, 0xE000E010
    mov32 r1, )" + load + R"(
    str r1, [r0, #4]
    str r1, [r0, #8]
    cmp r1, #0
    ite ne
    movne r1, #7
    moveq r1, #0
    str r1, [r0]
    movs r4, #0
    mov32 r5, 0x12345678
    mov32 r6, 0x9abcdef1
    movw r7, #400
    vmov.f32 s0, #1.0
    vmov.f32 s1, #0.5
    vmov.f32 s16, #2.0
    mov32 r8, 0x20008000
    str r5, [r8]
    b.w loop
    .balign 1024
    .space 1024 - 34
  loop:
    uadd8 r2, r5, r6
    sel r3, r5, r6
    add r4, r4, r3
    ssub16 r2, r6, r4
    sel r9, r4, r5
    smlad r4, r9, r5, r4
    qadd r10, r5, r4
    tst r7, #3
    itttt ne               // crosses the line
    addne r4, r4, r10
    ldrne r11, [r8]
    eorne r4, r4, r11
    addne r4, #7
    vadd.f32 s0, s0, s1
    vmul.f32 s2, s0, s16
    vcvt.u32.f32 s3, s2
    vmov r12, s3
    add r4, r4, r12
    adds r5, r5, r4
    adc r6, r6, #0
    mrs r2, apsr
    and r2, #0xF0000000
    eor r4, r4, r2
    subs r7, #1
    bne.w loop
    mov32 r0, 0xE000E010
    movs r1, #0
    str r1, [r0]
    exit 0)";
}

constexpr const char* kSpoiler = R"(
    handler systick
    push {r4-r6, lr}
    mov32 r0, 0xffffffff
    mov32 r1, 0x00ff00ff
    uadd8 r2, r0, r1
    qadd r3, r0, r0
    mov r12, r2
    vmov.f32 s0, #3.0
    vmov.f32 s1, s0
    vmov.f32 s2, s0
    vadd.f32 s3, s0, s0
    ldr r4, =0x20000040
    ldr r5, =1
    str r5, [r4]
    cmp r0, r0
    pop {r4-r6, pc})";

GTEST_TEST(Exceptions, StressTicksChangeNoResult) {
  uint32_t expected[16];
  {
    Machine machine(load_board("stm32h743"), {});
    const auto quiet = run_on(machine, assemble(stress_body("0"), kSpoiler));
    ASSERT_EQ(quiet.result.reason, EndReason::exited) << quiet.result.message;
    ASSERT_EQ(quiet.result.exceptions, 0u);
    std::copy(std::begin(quiet.r), std::end(quiet.r), expected);
  }
  for (int period = 37; period < 75; period += 2) {
    Machine machine(load_board("stm32h743"), {});
    Recorder recorder;
    machine.attach(&recorder, nullptr);
    const auto run = run_on(machine, assemble(stress_body(std::to_string(period)), kSpoiler));
    ASSERT_EQ(run.result.reason, EndReason::exited) << period << ": " << run.result.message;
    EXPECT_GT(run.result.exceptions, 100u);
    EXPECT_TRUE(std::any_of(recorder.blocks.begin(), recorder.blocks.end(),
                            [](const trace::BlockInfo& b) { return b.it_state != 0; }))
        << "no block begins inside the IT block";
    EXPECT_EQ(recorder.instructions(), run.result.instructions);
    for (int reg : {4, 5, 6, 7, 8, 9, 10, 11})
      ASSERT_EQ(run.r[reg], expected[reg]) << "r" << reg << " with a tick every " << period;
  }
}

GTEST_TEST(Exceptions, TwoRunsAreIdentical) {
  const Program program = assemble(stress_body("53"), kSpoiler);
  std::string order[2];
  uint64_t count[2];
  for (int i = 0; i < 2; ++i) {
    Machine machine(load_board("stm32h743"), {});
    Recorder recorder;
    machine.attach(&recorder, nullptr);
    count[i] = run_on(machine, program).result.instructions;
    order[i] = recorder.order;
  }
  EXPECT_EQ(count[0], count[1]);
  EXPECT_EQ(order[0], order[1]);
}

}  // namespace
}  // namespace mcusim
