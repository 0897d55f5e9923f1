// SPDX-License-Identifier: MIT
// What mcusim relies on in Unicorn 2.0.1 and how the machine lives with it: one test
// per rule learned by experiment. A rule that breaks with another engine version is a
// wrong result somewhere, so these tests gate the version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memmap/base/error.h"
#include "sim/machine/engine.h"
#include "tests/sim/support/guest.h"
#include "tests/sim/support/recorder.h"

namespace mcusim {
namespace {

using test::assemble;
using test::Recorder;
using test::run_on;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kCode = 0x08000000;

// All accesses but the last, which is the exit macro's literal.
std::vector<std::string> accesses(const Recorder& recorder, const Machine& machine) {
  std::vector<std::string> texts = recorder.access_texts(machine);
  if (!texts.empty()) texts.pop_back();
  return texts;
}

// Bare engine on raw bytes: no Machine in between.
uc_err run_raw(Engine& engine, std::vector<uint8_t>& flash, std::initializer_list<uint16_t> code) {
  flash.assign(4096, 0);
  size_t at = 0;
  for (uint16_t half : code) {
    flash[at++] = static_cast<uint8_t>(half);
    flash[at++] = static_cast<uint8_t>(half >> 8);
  }
  engine.map(kCode, 4096, false, true, flash.data());
  return uc_emu_start(engine.handle(), kCode | 1, kCode + at, 0, 0);
}

GTEST_TEST(EngineContract, Rule1TheCoreIsACortexM7) {
  std::vector<uint8_t> flash;
  {
    Engine engine;
    int model = -1;
    ASSERT_EQ(uc_ctl_get_cpu_model(engine.handle(), &model), UC_ERR_OK);
    EXPECT_EQ(model, UC_CPU_ARM_CORTEX_M7);
    EXPECT_EQ(run_raw(engine, flash, {0xee31, 0x0b02}), UC_ERR_OK);            // vadd.f64 d0, d1, d2
  }
  Engine engine;
  EXPECT_EQ(run_raw(engine, flash, {0xe840, 0xf100}), UC_ERR_INSN_INVALID);    // tt r1, r0: v8-M
}

GTEST_TEST(EngineContract, Rule2SkippedInstructionsAreCounted) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    movs r0, #0
    cmp r0, #1
    itte eq
    addeq r4, #1
    addeq r4, #2
    addne r4, #4
    exit 0)"));
  EXPECT_EQ(run.r[4], 4u);
  EXPECT_EQ(run.result.instructions, 3 + 3 + 3u);
}

GTEST_TEST(EngineContract, Rule3AccessesMatchInstructionsByOrder) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  run_on(machine, assemble(R"(
    enable_fpu
    mov32 r1, 0x20000100
    movs r0, #1
    stmia r1, {r0, r2, r3}
    ldmia r1, {r2, r3}
    strd r2, r3, [r1, #16]
    ldrd r4, r5, [r1, #16]
    strh r0, [r1, #3]
    vstr d0, [r1, #24]
    vldr d1, [r1, #24]
    vstmia r1, {s0-s2}
    vldmia r1, {d2-d3}
    exit 0)"));
  std::vector<std::string> texts = accesses(recorder, machine);
  texts.erase(texts.begin());    // the store to CPACR
  EXPECT_THAT(texts,
              ElementsAre("w4 stm.w r1, {r0, r2, r3}", "w4 stm.w r1, {r0, r2, r3}",
                          "w4 stm.w r1, {r0, r2, r3}", "r4 ldm.w r1, {r2, r3}",
                          "r4 ldm.w r1, {r2, r3}", "w4 strd r2, r3, [r1, #0x10]",
                          "w4 strd r2, r3, [r1, #0x10]", "r4 ldrd r4, r5, [r1, #0x10]",
                          "r4 ldrd r4, r5, [r1, #0x10]", "w2 strh.w r0, [r1, #3]",
                          "w8 vstr d0, [r1, #0x18]", "r8 vldr d1, [r1, #0x18]",
                          "w4 vstmia r1, {s0, s1, s2}", "w4 vstmia r1, {s0, s1, s2}",
                          "w4 vstmia r1, {s0, s1, s2}", "r8 vldmia r1, {d2, d3}",
                          "r8 vldmia r1, {d2, d3}"));
}

// The order in a block tells the instruction even when the engine adds events.
GTEST_TEST(EngineContract, Rule3StrexAddsAReadThatIsDropped) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r1, 0x20000100
    movs r0, #9
    str r0, [r1]
    ldrex r2, [r1]
    strex r5, r0, [r1]
    ldr r3, [r1]
    strex r6, r0, [r1]
    ldr r3, [r1]
    exit 0)"));
  EXPECT_EQ(run.r[5], 0u);
  EXPECT_EQ(run.r[6], 1u);       // no monitor any more: no events at all
  EXPECT_THAT(accesses(recorder, machine),
              ElementsAre("w4 str r0, [r1]", "r4 ldrex r2, [r1]", "w4 strex r5, r0, [r1]",
                          "r4 ldr r3, [r1]", "r4 ldr r3, [r1]"));
}

GTEST_TEST(EngineContract, Rule3UnalignedReadsAcrossALineComeOnce) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r1, 0x200003f8
    mov32 r0, 0x11223344
    str r0, [r1, #4]
    str r0, [r1, #8]
    ldr r4, [r1, #6]
    str r0, [r1, #7]
    ldrh r5, [r1, #7]
    exit 0)"));
  EXPECT_EQ(run.r[4], 0x33441122u);
  EXPECT_EQ(run.r[5], 0x3344u);
  EXPECT_THAT(accesses(recorder, machine),
              ElementsAre("w4 str r0, [r1, #4]", "w4 str r0, [r1, #8]", "r4 ldr.w r4, [r1, #6]",
                          "w4 str.w r0, [r1, #7]", "r2 ldrh.w r5, [r1, #7]"));
}

GTEST_TEST(EngineContract, Rule3CycleCounterIsExactInsideABlock) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r0, 0xE000EDFC
    mov r1, #0x01000000
    str r1, [r0]
    mov32 r0, 0xE0001000
    movs r1, #1
    str r1, [r0]
    ldr r4, [r0, #4]
    nop
    nop
    ldr r5, [r0, #4]
    movs r1, #0
    str r1, [r0, #4]
    ldr r6, [r0, #4]
    exit 0)"));
  EXPECT_EQ(run.r[5] - run.r[4], 3u);   // one instruction is one cycle without a clock
  EXPECT_EQ(run.r[6], 1u);
  EXPECT_TRUE(run.result.time_observed);
}

GTEST_TEST(EngineContract, Rule4PredicatedAccessesTellWhetherTheyRan) {
  Machine machine(load_board("stm32h743"), {});
  Recorder recorder;
  machine.attach(&recorder, nullptr);
  const auto run = run_on(machine, assemble(R"(
    mov32 r1, 0x20000100
    movs r0, #2
    str r0, [r1]
    str r0, [r1, #4]
  1: cmp r0, #1
    ite eq
    ldreq r4, [r1]
    ldrne r5, [r1, #4]
    str r0, [r1, #8]
    subs r0, #1
    bne 1b
    exit 0)"));
  ASSERT_GE(recorder.runs.size(), 2u);
  // First pass shares its block with the code before the loop (instructions 5 to 12).
  EXPECT_EQ(recorder.runs[0].skipped, 1u << 7);
  EXPECT_EQ(recorder.runs[1].skipped, 1u << 3);
  EXPECT_EQ(run.result.skipped, 2u);
  EXPECT_THAT(accesses(recorder, machine),
              ElementsAre("w4 str r0, [r1]", "w4 str r0, [r1, #4]", "r4 ldrne r5, [r1, #4]",
                          "w4 str r0, [r1, #8]", "r4 ldreq r4, [r1]", "w4 str r0, [r1, #8]"));
}

// A block cut inside IT at a 1 KiB line keeps its conditions, with and without a stop.
const char* const kItAcrossLine = R"(
    mov32 r1, 0x20000100
    movs r0, #5
    str r0, [r1]
    movs r4, #0
    b.w go
    .balign 1024
    .space 1024 - 10
  go:
    subs r0, #1
    cmp r0, #0
    itttt ne
    addne r4, #1
    ldrne r5, [r1]
    addne r4, r5
    bne.w go
    exit 0)";

GTEST_TEST(EngineContract, Rule5BudgetNeverStopsInsideIt) {
  const Program program = assemble(kItAcrossLine);
  uint64_t total = 0;
  {
    Machine machine(load_board("stm32h743"), {});
    const auto whole = run_on(machine, program);
    EXPECT_EQ(whole.r[4], 4 * 6u);
    total = whole.result.instructions;
  }
  for (uint64_t budget = 1; budget + 3 <= total; ++budget) {   // the last block has 3
    MachineOptions options;
    options.max_instructions = budget;
    Machine machine(load_board("stm32h743"), options);
    machine.load(program);
    ASSERT_EQ(machine.run().reason, EndReason::budget) << budget;
    machine.set_max_instructions(UINT64_MAX);
    const RunResult rest = machine.run();
    ASSERT_EQ(rest.reason, EndReason::exited) << budget;
    ASSERT_EQ(rest.instructions, total) << budget;
    ASSERT_EQ(machine.core_register(4), 4 * 6u) << budget;
  }
}

GTEST_TEST(EngineContract, Rule6FaultPcIsExactInTheMiddleOfABlock) {
  for (const bool predicated : {false, true}) {
    Machine machine(load_board("stm32h743"), {});
    const auto run = run_on(machine, assemble(std::string(R"(
      mov32 r1, 0x20000100
      str r1, [r1]
      ldr r2, [r1]
      mov32 r3, 0x70000000
      cmp r1, r1)") + (predicated ? "\n it eq\n ldreq r0, [r3]\n" : "\n nop\n ldr r0, [r3]\n") +
                                              "str r0, [r1]\n exit 0"));
    EXPECT_EQ(run.result.reason, EndReason::fault);
    EXPECT_THAT(run.result.message, HasSubstr("read of unmapped address 0x70000000"));
    EXPECT_THAT(run.result.message, HasSubstr("r0, [r3]`"));
    EXPECT_EQ(run.result.instructions, 8u);
  }
}

GTEST_TEST(EngineContract, Rule7HintsAreHandledByDecode) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    movs r4, #1
    yield
    adds r4, #1
    sev
    wfe
    adds r4, #1
    wfe
    exit 0)"));
  EXPECT_EQ(run.r[4], 3u);
  EXPECT_EQ(run.result.reason, EndReason::wait_forever);
  EXPECT_EQ(run.result.instructions, 7u);
}

GTEST_TEST(EngineContract, Rule9SvcArrivesWithThePcBehindIt) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble("movs r0, #1\n svc #5\n adds r0, #1\n mov r4, r0\n exit 0",
                                            R"(
    handler svc
    ldr r1, [sp, #24]
    ldrb r5, [r1, #-2]
    bx lr)"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.r[4], 2u);
  EXPECT_EQ(run.r[5], 5u);      // the immediate lies just before the stacked return address
}

GTEST_TEST(EngineContract, Rule10OnlyBkptAbIsSemihosting) {
  Machine machine(load_board("stm32h743"), {});
  machine.load(assemble("movs r0, #1\n bkpt 3\n adds r0, #1\n mov r4, r0\n exit 0"));
  const RunResult stopped = machine.run();
  EXPECT_EQ(stopped.reason, EndReason::breakpoint);
  EXPECT_THAT(stopped.message, HasSubstr("BKPT 3"));
  EXPECT_EQ(machine.run().reason, EndReason::exited);
  EXPECT_EQ(machine.core_register(4), 2u);
}

GTEST_TEST(EngineContract, Rule11EnginesAreReleased) {
  const Program program = assemble("exit 0");
  for (int i = 0; i < 30; ++i) {
    Machine machine(load_board("stm32h743"), {});
    EXPECT_EQ(run_on(machine, program).result.reason, EndReason::exited);
  }
}

GTEST_TEST(EngineContract, Rule12HostRewritesCode) {
  const Program program = assemble("1: movs r4, #1\n bkpt 1\n b 1b");
  Machine machine(load_board("stm32h743"), {});
  machine.load(program);
  machine.run();
  EXPECT_EQ(machine.core_register(4), 1u);
  const uint8_t movs_r4_2[] = {0x02, 0x24};
  machine.write_memory(program.symbol_address("_start"), movs_r4_2);
  machine.run();
  EXPECT_EQ(machine.core_register(4), 2u);
}

GTEST_TEST(EngineContract, Rule12GuestRewritesCode) {
  for (const bool fast : {false, true}) {
    MachineOptions options;
    options.fast = fast;
    Machine machine(load_board("stm32h743"), options);
    Recorder recorder;
    machine.attach(&recorder, nullptr);
    // The routine at ITCM is written, called, rewritten one instruction longer, called.
    const auto run = run_on(machine, assemble(R"(
      mov32 r1, 0x00000100
      mov32 r0, 0x47702401      // movs r4, #1; bx lr
      str r0, [r1]
      dsb
      isb
      adds r2, r1, #1
      blx r2
      mov r5, r4
      mov32 r0, 0x34022403      // movs r4, #3; adds r4, #2
      str r0, [r1]
      movw r0, #0x4770
      strh r0, [r1, #4]
      dsb
      isb
      blx r2
      mov r6, r4
      exit 0)"));
    EXPECT_EQ(run.r[5], 1u);
    EXPECT_EQ(run.r[6], 5u);
    EXPECT_EQ(run.result.instructions, recorder.instructions());
    std::vector<size_t> lengths;
    for (const auto& block : recorder.blocks)
      if (block.address == 0x100) lengths.push_back(block.code.size());
    EXPECT_THAT(lengths, ElementsAre(4u, 6u)) << "fast " << fast;
  }
}

// Newer engines leak IT state here: a load under IT with a memory hook, then a branch.
GTEST_TEST(EngineContract, Rule13ItStateDoesNotLeak) {
  Machine machine(load_board("stm32h743"), {});
  const auto run = run_on(machine, assemble(R"(
    mov32 r1, 0x20000100
    movs r0, #0
    str r0, [r1]
    movs r6, #50
  1: tst r6, #1
    ite ne
    ldrne r2, [r1]
    addeq r0, #1
    cmp r6, #25
    bgt 2f
    adds r0, #100
  2: subs r6, #1
    bne 1b
    mov r4, r0
    exit 0)"));
  EXPECT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.r[4], 25 + 25 * 100u);
}

}  // namespace
}  // namespace mcusim
