// SPDX-License-Identifier: MIT
// Law 3 for waiting loops: rounds that the machine passes over instead of executing cost
// the same cycles with the same causes, instruction by instruction, as executed ones; and
// a loop that does more than wait is executed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/run/simulation.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

// HAL_Delay and friends; what the guest prints depends on the cycle counter.
constexpr const char* kDelays = R"(
typedef unsigned int u32; typedef unsigned char u8;
#define R(a) (*(volatile u32*)(a))
static volatile u32 tick, flag, spins;
__attribute__((noinline)) u32 get_tick(void) { return tick; }
__attribute__((noinline)) void delay(u32 ms) {
  u32 start = get_tick(), wait = ms;
  if (wait < 0xFFFFFFFF) wait += 1;
  while (get_tick() - start < wait) {}
}
void systick_handler(void) { tick++; }
void irq28_handler(void) { R(0x40000010) = 0; flag = 1; }
static void print(u32 value) {
  for (int i = 28; i >= 0; i -= 4) R(0x40004828) = "0123456789abcdef"[value >> i & 15];
  R(0x40004828) = '\n';
}
int main(void) {
  R(0xE000EDFC) |= 1 << 24; R(0xE0001000) |= 1;
  R(0xE000E014) = 63999; R(0xE000E018) = 0; R(0xE000E010) = 7;
  R(0x40000028) = 63; R(0x4000002C) = 2499; R(0x40000014) = 1; R(0x40000010) = 0;
  R(0x4000000C) = 1; R(0xE000E100) = 1 << 28; R(0x40000000) = 1;
  u32 start = R(0xE0001004);
  delay(5);
  print(R(0xE0001004) - start);
  flag = 0;
  while (!flag) {}                                   // an interrupt's flag
  print(R(0xE0001004) - start);
  for (volatile u32 i = 0; i < 30000; i++) {}        // counts in memory: no waiting loop
  print(R(0xE0001004) - start);
  u32 until = tick + 3;
  while (tick != until) spins++;                     // nor is this
  print(R(0xE0001004) - start); print(spins);
  R(0xE000E010) = 5;                                 // no tick interrupt: its flag is polled
  for (int i = 0; i < 3; i++) while (!(R(0xE000E010) & 1 << 16)) {}
  print(R(0xE0001004) - start);
  return 0;
}
)";

struct Outcome {
  report::Run report;
  RunResult result;
  std::string text;
};

Outcome simulate(const Program& program, bool skip, uint64_t budget = UINT64_MAX) {
  Outcome out;
  SimulationOptions options;
  options.machine.skip_waiting = skip;
  options.machine.max_instructions = budget;
  options.machine.console = [&](std::string_view part) { out.text += part; };
  Simulation simulation(load_board("stm32h743"), options);
  simulation.load(program);
  out.report = simulation.run(&out.result);
  report::check_conservation(out.report);
  return out;
}

void expect_equal(const Outcome& skipped, const Outcome& executed) {
  EXPECT_EQ(skipped.text, executed.text);
  EXPECT_EQ(skipped.result.instructions, executed.result.instructions);
  EXPECT_EQ(skipped.result.skipped, executed.result.skipped);
  EXPECT_EQ(skipped.result.block_runs, executed.result.block_runs);
  EXPECT_EQ(skipped.result.exceptions, executed.result.exceptions);
  ASSERT_EQ(skipped.result.last.size(), executed.result.last.size());
  for (size_t i = 0; i < skipped.result.last.size(); ++i)
    EXPECT_EQ(skipped.result.last[i].address, executed.result.last[i].address) << i;
  EXPECT_EQ(skipped.report.cycles, executed.report.cycles);
  EXPECT_EQ(skipped.report.causes, executed.report.causes);
  EXPECT_EQ(skipped.report.cycles_low, executed.report.cycles_low);
  EXPECT_EQ(skipped.report.cycles_high, executed.report.cycles_high);
  ASSERT_EQ(skipped.report.functions.size(), executed.report.functions.size());
  for (size_t i = 0; i < skipped.report.functions.size(); ++i) {
    EXPECT_EQ(skipped.report.functions[i].name, executed.report.functions[i].name);
    EXPECT_EQ(skipped.report.functions[i].causes, executed.report.functions[i].causes);
    EXPECT_EQ(skipped.report.functions[i].instructions, executed.report.functions[i].instructions);
  }
}

class WaitingLoops : public testing::TestWithParam<const char*> {};

TEST_P(WaitingLoops, Law3PassedOverOrExecuted) {
  const test::TemporaryDirectory directory;
  const Program program = load_program(test::build_c(directory, kDelays, GetParam()));
  const Outcome skipped = simulate(program, true), executed = simulate(program, false);
  ASSERT_EQ(executed.result.reason, EndReason::exited) << executed.result.message;
  expect_equal(skipped, executed);
  EXPECT_EQ(executed.result.repeated, 0u);
  EXPECT_GT(skipped.result.repeated, 40'000u);
  // A budget ends both at the same place, in the middle of a wait.
  const uint64_t budget = executed.result.instructions / 9;
  expect_equal(simulate(program, true, budget), simulate(program, false, budget));
}

INSTANTIATE_TEST_SUITE_P(Levels, WaitingLoops, testing::Values("-O0", "-O1", "-O2"),
                         [](const auto& test) { return std::string(test.param + 1); });

}  // namespace
}  // namespace mcusim
