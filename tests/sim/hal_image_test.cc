// SPDX-License-Identifier: MIT
// An image written the way ST's HAL writes them (not its code): clock tree with polled
// ready bits and tick time-outs, caches by set and way, 1 kHz tick, delays, text over
// USART3 and commands by receive interrupt. It loops forever; the host ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/timing/core_estimator.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

constexpr const char* kImage = R"(
typedef unsigned int u32; typedef unsigned char u8;
#define R(a) (*(volatile u32*)(a))
#define R8(a) (*(volatile u8*)(a))
static volatile u32 tick; static u32 core_clock = 64000000;
static volatile char line[32]; static volatile u32 length, ready; static volatile u8 received;
void systick_handler(void) { tick++; }
static void print(const char* s) {
  for (; *s; s++) { while (!(R(0x4000481C) & 0x80)) {} R(0x40004828) = (u8)*s; }
  while (!(R(0x4000481C) & 0x40)) {}
}
static void number(u32 n) {
  char text[12]; int at = 11; text[at] = 0;
  do { text[--at] = (char)('0' + n % 10); n /= 10; } while (n);
  print(text + at);
}
static void fail(void) { __asm__ volatile("cpsid i"); for (;;) {} }
static void wait(u32 address, u32 mask, u32 value, u32 limit) {
  u32 start = tick;
  while ((R(address) & mask) != value) if (tick - start > limit) fail();
}
static void delay(u32 ms) { u32 start = tick; while (tick - start < ms + 1) {} }
static void start_tick(void) {
  R(0xE000E014) = core_clock / 1000 - 1; R8(0xE000ED23) = 0xF0; R(0xE000E018) = 0; R(0xE000E010) = 7;
}
static void clocks(void) {
  R(0x58024818) = 0xC000; while (!(R(0x58024818) & 1 << 13)) {}
  R(0x58024400) |= 1 << 16; wait(0x58024400, 1 << 17, 1 << 17, 100);
  R(0x58024400) &= ~(1u << 24); wait(0x58024400, 1 << 25, 0, 2);
  R(0x58024428) = 1 << 4 | 2; R(0x58024430) = 1 << 24 | 1 << 16 | 1 << 9 | 99;
  R(0x58024400) |= 1 << 24; wait(0x58024400, 1 << 25, 1 << 25, 2);
  R(0x52002000) = 0x12; if ((R(0x52002000) & 0xF) != 2) fail();
  R(0x58024418) = 8; R(0x5802441C) = 4 << 4 | 4 << 8;
  R(0x58024410) = 3; wait(0x58024410, 0x38, 3 << 3, 5000);
  float vco = 8000000.0f / (float)(R(0x58024428) >> 4 & 63) * (float)((R(0x58024430) & 511) + 1);
  core_clock = (u32)(vco / (float)((R(0x58024430) >> 9 & 127) + 1));
  start_tick();
}
static void caches(void) {
  R(0xE000EF50) = 0; R(0xE000ED14) |= 1 << 17;
  R(0xE000ED84) = 0; u32 id = R(0xE000ED80);
  for (int set = (int)(id >> 13 & 0x7FFF); set >= 0; set--)
    for (int way = (int)(id >> 3 & 0x3FF); way >= 0; way--) R(0xE000EF60) = (u32)set << 5 | (u32)way << 30;
  __asm__ volatile("dsb; isb"); R(0xE000ED14) |= 1 << 16;
}
static void receive(void) { R(0x40004800) |= 1 << 5; }
void irq39_handler(void) {
  u32 isr = R(0x4000481C), cr1 = R(0x40004800);
  if ((isr & 0x20) && (cr1 & 0x20)) {
    received = (u8)R(0x40004824); R(0x40004800) &= ~(1u << 5);
    if (received == '%') { line[length] = 0; ready = 1; } else if (length < 31) line[length++] = received;
    receive();
  }
}
int main(void) {
  R(0x51008108) = 1;
  caches(); start_tick(); clocks();
  R(0x40004800) = 0xD; wait(0x4000481C, 1 << 21, 1 << 21, 1000); wait(0x4000481C, 1 << 22, 1 << 22, 1000);
  R8(0xE000E400 + 39) = 0; R(0xE000E104) = 1 << 7; receive();
  R(0xE000EDFC) |= 1 << 24; R(0xE0001004) = 0; R(0xE0001000) |= 1;
  print("m-ready\r\n");
  for (u32 round = 1;; round++) {
    while (!ready && round == 1) {}
    for (u32 edge = tick; tick == edge;) {}
    u32 start = R(0xE0001004), ticks = tick;
    delay(5);
    u32 cycles = R(0xE0001004) - start;
    print("round "); number(round); print(" ms "); number(tick - ticks);
    print((cycles + core_clock / 2000) / (core_clock / 1000) == tick - ticks ? " clock ok " : " clock off ");
    print((const char*)line); print("\r\n");
  }
}
)";

// With the estimator as clock and without (a cycle is an instruction): same text.
class HalImage : public testing::TestWithParam<std::tuple<const char*, bool>> {};

TEST_P(HalImage, ReachesItsSteadyLoop) {
  const auto [flags, timed] = GetParam();
  const test::TemporaryDirectory directory;
  const Program program = load_program(test::build_c(directory, kImage, flags));
  const Board board = load_board("stm32h743");
  uint64_t cycles[2] = {};
  for (uint64_t& total : cycles) {
    std::string text, input = "name%";
    size_t at = 0;
    MachineOptions options;
    options.console = [&](std::string_view part) { text += part; };
    options.uart_input = [&]() -> std::optional<uint8_t> {
      if (text.find("m-ready") == text.npos || at == input.size()) return {};
      return static_cast<uint8_t>(input[at++]);
    };
    options.until_text = "name\r\n";
    options.until_text_count = 3;
    options.max_instructions = 200'000'000;
    Machine machine(board, options);
    const auto estimator = make_estimator(board);
    if (timed) machine.attach(estimator.get(), estimator.get());
    const auto run = test::run_on(machine, program);
    EXPECT_EQ(run.result.reason, EndReason::until_text) << run.result.message;
    EXPECT_EQ(text, "m-ready\r\nround 1 ms 6 clock ok name\r\nround 2 ms 6 clock ok name\r\n"
                    "round 3 ms 6 clock ok name\r\n");
    EXPECT_EQ(machine.core_hz(), 400'000'000u);
    total = timed ? estimator->now() : run.result.instructions;
  }
  EXPECT_EQ(cycles[0], cycles[1]);
}

INSTANTIATE_TEST_SUITE_P(Levels, HalImage,
                         testing::Combine(testing::Values("-O0", "-Os"), testing::Bool()),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) + 1) +
                                  (std::get<1>(test.param) ? "Timed" : "Counted");
                         });

}  // namespace
}  // namespace mcusim
