// SPDX-License-Identifier: MIT
// Law 3 with interrupts: firmware that sleeps between SysTick interrupts and echoes what
// the UART receives by interrupt costs the same cycles live and replayed, cause by cause.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "sim/run/replay.h"
#include "sim/run/simulation.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

constexpr const char* kEcho = R"(
typedef unsigned int u32; typedef unsigned char u8;
#define R(a) (*(volatile u32*)(a))
static volatile u32 tick, received; static u32 work[64];
void systick_handler(void) { tick++; }
void irq39_handler(void) {
  u32 byte = R(0x40004824);
  R(0x40004828) = byte; received++;
}
int main(void) {
  R(0xE000E014) = 9999; R(0xE000E018) = 0; R(0xE000E010) = 7;
  R(0x40004800) = 0x2D;                     // UE, RE, TE, RXNEIE
  R(0xE000E104) = 1 << 7;
  while (received < 5 || tick < 20) {
    for (u32 i = 0; i < 64; i++) work[i] = work[(i * 7) & 63] * tick + i;
    __asm__ volatile("wfi");
  }
  R(0x40004828) = '\n';
  return 0;
}
)";

uint64_t sum(const CauseCycles& causes) {
  return std::accumulate(causes.begin(), causes.end(), uint64_t{0});
}

GTEST_TEST(LiveReplay, Law3InterruptsAndSleepIncluded) {
  const test::TemporaryDirectory directory;
  const std::string trace = directory.path("echo.mct");
  std::string text;
  size_t sent = 0;
  SimulationOptions options;
  options.record_path = trace;
  options.machine.console = [&](std::string_view part) { text += part; };
  options.machine.uart_input = [&]() -> std::optional<uint8_t> {
    if (sent == 5) return {};
    return static_cast<uint8_t>("hello"[sent++]);
  };
  Simulation simulation(load_board("stm32h743"), options);
  simulation.load(load_program(test::build_c(directory, kEcho, "-O1")));
  RunResult result;
  const report::Run live = simulation.run(&result);
  ASSERT_EQ(result.reason, EndReason::exited) << result.message;
  EXPECT_EQ(text, "hello\n");
  EXPECT_GE(result.exceptions, 25u);

  const auto cycles = [&](Cause cause) { return live.causes[static_cast<size_t>(cause)]; };
  // Twenty ticks of 10000 cycles, nearly all of them asleep.
  EXPECT_GT(cycles(Cause::sleep), 100'000u);
  EXPECT_GT(cycles(Cause::exception_entry), 0u);
  EXPECT_EQ(sum(live.causes), live.cycles);
  report::check_conservation(live);

  const trace::TraceReader reader(trace);
  const report::Run replayed = replay(reader, trace, {}).report;
  EXPECT_EQ(replayed.cycles, live.cycles);
  EXPECT_EQ(replayed.causes, live.causes);
  EXPECT_EQ(replayed.instructions, live.instructions);
  EXPECT_EQ(replayed.cycles_low, live.cycles_low);
  EXPECT_EQ(replayed.cycles_high, live.cycles_high);
  ASSERT_EQ(replayed.functions.size(), live.functions.size());
  for (size_t i = 0; i < live.functions.size(); ++i) {
    EXPECT_EQ(replayed.functions[i].name, live.functions[i].name);
    EXPECT_EQ(replayed.functions[i].causes, live.functions[i].causes) << live.functions[i].name;
  }
}

}  // namespace
}  // namespace mcusim
