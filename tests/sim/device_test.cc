// SPDX-License-Identifier: MIT
// Devices as firmware sees them: ready bits of RCC and PWR, exact read-back, USART in
// both directions, timers from the clock tree, CRC against zlib, core registers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/sim/support/guest.h"
#include "tests/sim/support/recorder.h"

namespace mcusim {
namespace {

using test::assemble;
using test::Recorder;
using test::run_on;

GTEST_TEST(Devices, RccReadyBitsFollowBothEdges) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0x58024400
    ldr r4, [r0]
    mov32 r1, 0x01010081      // HSE, PLL1 on
    str r1, [r0]
    ldr r5, [r0]
    movs r1, #1
    str r1, [r0]
    ldr r6, [r0]
    movs r1, #3
    str r1, [r0, #0x10]
    ldr r7, [r0, #0x10]
    mov32 r0, 0x58024800
    ldr r8, [r0, #0x18]
    exit 0)"));
  EXPECT_EQ(run.r[4] & 0x104u, 0x104u);             // HSI and CSI ready
  EXPECT_EQ(run.r[5] & 0x02020000u, 0x02020000u);
  EXPECT_EQ(run.r[6] & 0x02020100u, 0u);
  EXPECT_EQ(run.r[7], 0x1Bu);                       // SWS = SW
  EXPECT_EQ(run.r[8] >> 13 & 1, 1u);
}

// HSE 8 MHz / 1 * 100 / 2 = 400 MHz, AXI half of it: the HAL's usual tree.
GTEST_TEST(Devices, ClockTreeBecomesEvents) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  run_on(machine, assemble(R"(
    mov32 r0, 0x58024400
    mov32 r1, 0x00000012      // HSE, DIVM1 = 1
    str r1, [r0, #0x28]
    mov32 r1, 0x01010263      // N = 100, P = 2
    str r1, [r0, #0x30]
    movs r1, #8
    str r1, [r0, #0x18]       // HPRE = 2
    movs r1, #0x40
    str r1, [r0, #0x1C]       // APB1 = AHB / 2
    mov32 r1, 0x52002000
    movs r2, #0x12
    str r2, [r1]
    movs r1, #3
    str r1, [r0, #0x10]
    exit 0)"));
  EXPECT_EQ(machine.core_hz(), 400'000'000u);
  using What = trace::Control::What;
  uint32_t core = 0, axi = 0, wait_states = 0;
  for (const auto& control : recorder.controls) {
    if (control.what == What::core_hz) core = control.value;
    if (control.what == What::axi_hz) axi = control.value;
    if (control.what == What::flash_wait_states) wait_states = control.value;
  }
  EXPECT_EQ(core, 400'000'000u);
  EXPECT_EQ(axi, 200'000'000u);
  EXPECT_EQ(wait_states, 2u);
}

GTEST_TEST(Devices, StorageIsExactForEveryWidthAndLogged) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0x58020000
    mov32 r1, 0x11223344
    str r1, [r0]
    movs r2, #0xAA
    strb r2, [r0, #1]
    ldr r4, [r0]
    ldrb r5, [r0, #3]
    ldrh r6, [r0, #2]
    exit 0)"));
  EXPECT_EQ(run.r[4], 0x1122AA44u);
  EXPECT_EQ(run.r[5], 0x11u);
  EXPECT_EQ(run.r[6], 0x1122u);
  const auto touches = machine.peripheral_touches();
  ASSERT_EQ(touches.size(), 1u);
  EXPECT_EQ(touches[0].address, 0x58020000u);
  EXPECT_TRUE(touches[0].first_is_write);
  EXPECT_EQ(touches[0].first_value, 0x11223344u);
}

constexpr const char* kUartEcho = R"(
    mov32 r0, 0xE000E104
    movs r1, #0x80            // interrupt 39
    str r1, [r0]
    mov32 r7, 0x40004800
    movs r1, #0x2D            // UE, RE, TE, RXNEIE
    str r1, [r7]
    ldr r4, [r7, #0x1C]
  1: wfi
    cmp r6, #'%'
    bne 1b
    exit 0)";
constexpr const char* kUartHandler = R"(
    handler irq39
    ldr r6, [r7, #0x24]
    str r6, [r7, #0x28]
    adds r5, #1
    bx lr)";

GTEST_TEST(Devices, UsartReceivesEachByteOnceByInterrupt) {
  std::string sent, input = "name%";
  size_t at = 0;
  MachineOptions options;
  options.console = [&](std::string_view text) { sent += text; };
  options.uart_input = [&]() -> std::optional<uint8_t> {
    if (at == input.size()) return {};
    return static_cast<uint8_t>(input[at++]);
  };
  Machine machine(load_board("stm32h743"), options);
  const auto run = run_on(machine, assemble(kUartEcho, kUartHandler));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(sent, "name%");
  EXPECT_EQ(run.r[5], 5u);
  EXPECT_EQ(run.r[4] & 0x006000C0u, 0x006000C0u);   // TEACK, REACK, TXE, TC
}

GTEST_TEST(Devices, UsartWithoutInputWaitsForever) {
  Machine machine(load_board("stm32h743"), {});
  EXPECT_EQ(run_on(machine, assemble(kUartEcho, kUartHandler)).result.reason,
            EndReason::wait_forever);
}

GTEST_TEST(Devices, MicrosecondTimerFollowsTheApbClock) {
  Machine machine(load_board("stm32h743"), {});
  // 64 MHz after reset, prescaler 63: one count per 64 instructions.
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0x40000C00
    movs r1, #63
    str r1, [r0, #0x28]
    movs r1, #1
    str r1, [r0, #0x14]
    str r1, [r0]
    ldr r5, [r0, #0x24]
    movw r2, #3200
  1: subs r2, #1
    bne 1b
    ldr r4, [r0, #0x24]
    exit 0)"));
  EXPECT_EQ(run.r[5], 0u);
  EXPECT_EQ(run.r[4], 100u);
}

GTEST_TEST(Devices, TimerUpdateInterrupt) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000E100
    mov r1, #0x10000000       // interrupt 28: TIM2
    str r1, [r0]
    mov32 r7, 0x40000000
    movw r1, #499
    str r1, [r7, #0x2C]
    movs r1, #1
    str r1, [r7, #0x0C]
    str r1, [r7]
    movw r2, #2600
  1: subs r2, #1
    bne 1b
    exit 0)", R"(
    handler irq28
    movs r0, #0
    str r0, [r7, #0x10]
    adds r4, #1
    bx lr)"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.r[4], 10u);
}

// Ethernet CRC-32 with byte input and both reversals is zlib's crc32, inverted.
GTEST_TEST(Devices, CrcUnitEqualsZlib) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0x58024C00
    movs r1, #0xA1
    str r1, [r0, #8]
    ldr r2, =text
  1: ldrb r3, [r2], #1
    cbz r3, 2f
    strb r3, [r0]
    b 1b
  2: ldr r4, [r0]
    mvns r4, r4
    exit 0)", "text: .asciz \"123456789\"\n .align 2"));
  const unsigned char text[] = "123456789";
  EXPECT_EQ(run.r[4], crc32(0, text, 9));
}

GTEST_TEST(Devices, CacheRegistersAndMaintenance) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000ED00
    ldr r4, [r0, #0x80]
    movs r1, #1
    str r1, [r0, #0x84]
    ldr r5, [r0, #0x80]
    mov32 r2, 0xE000EF00
    movs r1, #0
    str r1, [r2, #0x50]
    mov32 r1, 0xC0000FE0
    str r1, [r2, #0x60]
    ldr r1, [r0, #0x14]
    orr r1, #0x30000
    str r1, [r0, #0x14]
    ldr r6, [r0, #8]
    mov32 r1, 0x05FA0300
    str r1, [r0, #0x0C]
    ldr r7, [r0, #0x0C]
    exit 0)"));
  EXPECT_EQ(run.r[4], 0xF00FE019u);
  EXPECT_EQ(run.r[5], 0xF01FE009u);
  EXPECT_EQ(run.r[6], 0x08000000u);
  EXPECT_EQ(run.r[7], 0xFA050300u);
  using What = trace::Control::What;
  std::vector<What> kinds;
  for (const auto& control : recorder.controls) kinds.push_back(control.what);
  EXPECT_THAT(kinds, testing::ElementsAre(What::core_hz, What::axi_hz, What::flash_wait_states,
                                          What::icache_invalidate_all, What::dcache_invalidate_line,
                                          What::icache_enable, What::dcache_enable));
  EXPECT_EQ(recorder.controls[4].value, 0xC0000FE0u);
}

GTEST_TEST(Devices, MpuRegionsAreAnnouncedWhenEnabled) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  run_on(machine, assemble(R"(
    mov32 r0, 0xE000ED90
    movs r1, #2
    str r1, [r0, #8]
    mov32 r1, 0x24000000
    str r1, [r0, #0x0C]
    mov32 r1, 0x03090025
    str r1, [r0, #0x10]
    movs r1, #5
    str r1, [r0, #4]
    exit 0)"));
  const auto& last = recorder.controls.back();
  EXPECT_EQ(last.what, trace::Control::What::mpu_region);
  EXPECT_EQ(last.value, 2u);
  EXPECT_EQ(last.extra[0], 0x24000000u);
  EXPECT_EQ(last.extra[1], 0x03090025u);
}

GTEST_TEST(Devices, MarksArriveAfterTheRunThatStoredThem) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  run_on(machine, assemble(R"(
    mov32 r0, 0xE0000000
    movs r1, #7
    str r1, [r0, #4]
    b 1f
  1: str r1, [r0, #8]
    exit 0)"));
  ASSERT_EQ(recorder.marks.size(), 2u);
  EXPECT_EQ(recorder.marks[0].port, trace::kLayerBegin);
  EXPECT_EQ(recorder.marks[0].value, 7u);
  EXPECT_EQ(recorder.marks[1].port, trace::kLayerEnd);
  EXPECT_EQ(recorder.order, "cccrmrm");
}

GTEST_TEST(Devices, SystemResetRequestEndsTheRun) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000ED0C
    mov32 r1, 0x05FA0004
    str r1, [r0]
    b .)"));
  EXPECT_EQ(run.result.reason, EndReason::system_reset);
}

}  // namespace
}  // namespace mcusim
