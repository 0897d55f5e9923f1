// SPDX-License-Identifier: MIT
// Law 3 for parts of a run: a recorded window replays to exactly what the same stretch
// cost within the whole run, and windows that adjoin add up to it, causes included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <map>
#include <random>
#include <sstream>

#include "kernels/host/int_net.h"
#include "memmap/base/error.h"
#include "sim/image/tool.h"
#include "sim/run/network_run.h"
#include "sim/run/replay.h"
#include "sim/timing/core_estimator.h"
#include "tests/sim/small_net.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using ::testing::HasSubstr;

struct Cost {
  uint64_t cycles = 0, instructions = 0;
  CauseCycles causes{};
  bool operator==(const Cost&) const = default;
  void add(Cause cause, uint64_t of_it) {
    cycles += of_it;
    causes[static_cast<size_t>(cause)] += of_it;
  }
  Cost& operator+=(const Cost& other) {
    cycles += other.cycles;
    instructions += other.instructions;
    for (size_t i = 0; i < kCauseCount; ++i) causes[i] += other.causes[i];
    return *this;
  }
};

Cost cost_of(const report::Run& report) { return {report.cycles, report.instructions, report.causes}; }

// The Timed stream of the whole run, cut where its events start.
class Ledger : public TimedSink {
 public:
  void timed(const TimedRun& run) override {
    Cost cost;
    for (const auto& part : run.parts) cost.add(part.cause, part.cycles);
    cost.instructions = run.run->instructions;
    book(run.start_cycle, cost);
  }
  void mark(const trace::Mark&, uint64_t) override {}
  void exception(const trace::Exception& exception, uint64_t start, uint64_t cycles) override {
    Cost cost;
    cost.add(exception.entry ? Cause::exception_entry : Cause::exception_exit, cycles);
    book(start, cost);
  }
  void slept(uint64_t start, uint64_t cycles) override {
    Cost cost;
    cost.add(Cause::sleep, cycles);
    book(start, cost);
  }
  Cost of_cycles(uint64_t first, uint64_t last) const {
    Cost sum;
    for (auto it = by_cycle_.lower_bound(first); it != by_cycle_.lower_bound(last); ++it) sum += it->second;
    return sum;
  }
  Cost of_instructions(uint64_t first, uint64_t last) const {
    Cost sum;
    for (auto it = by_instruction_.lower_bound(first); it != by_instruction_.lower_bound(last); ++it) sum += it->second;
    return sum;
  }

 private:
  void book(uint64_t start, const Cost& cost) {
    by_cycle_[start] += cost;
    by_instruction_[instructions_] += cost;
    instructions_ += cost.instructions;
  }
  std::map<uint64_t, Cost> by_cycle_, by_instruction_;
  uint64_t instructions_ = 0;
};

class Windows : public ::testing::Test {
 protected:
  std::string file(const char* name) const { return directory_.file(name); }
  report::Run run_network(const WindowRequest& window, const std::string& path) {
    NetworkRunOptions options;
    options.simulation.clock = board_.clocks.front();
    options.simulation.record_path = path;
    options.simulation.window = window;
    const NetworkRun network(board_, encode(testing::small_net(1)), options);
    return network.run({std::vector<uint8_t>(8 * 8 * 3, 77)}).report;
  }
  report::Run run_firmware(const WindowRequest& window, const std::string& path) {
    SimulationOptions options;
    options.clock = board_.clocks.front();
    options.record_path = path;
    options.window = window;
    Simulation simulation(board_, options);
    simulation.load(firmware_);
    report::Run report = simulation.run();
    report::check_conservation(report);
    return report;
  }
  Cost replayed(const std::string& path) { return cost_of(replay(trace::TraceReader(path), path, {}).report); }
  Ledger ledger(const std::string& path) {
    Ledger out;
    const auto estimator = make_estimator(board_);
    estimator->attach(&out);
    trace::TraceReader(path).replay(*estimator);
    return out;
  }

  // Ticks in a loop that misses and hits caches, a slow division, calls, and sleep.
  const Program firmware_ = test::assemble(R"(
    mov32 r0, 0xE000ED14
    ldr r1, [r0]
    orr r1, #0x30000
    str r1, [r0]
    dsb
    isb
    mov32 r0, 0xE000E010
    movw r1, #1777
    str r1, [r0, #4]
    str r1, [r0, #8]
    movs r1, #7
    str r1, [r0]
    mov32 r4, 0x24000000
    movw r5, #600
    mov32 r8, 0x20001000
    str r4, [r8]
  1: bl work
    tst r5, #63
    it eq
    wfieq
    subs r5, #1
    bne 1b
    exit 0)", R"(
    .type work, %function
    .thumb_func
  work:
    push {r6, lr}
    add r6, r4, r5, lsl #6
    str r5, [r6]
    strb r5, [r6, #3]
    ldr r7, [r6]
    udiv r7, r7, r5
    cmp r7, #1
    bhi 2f
    bl deep
  2: pop {r6, pc}
    .size work, . - work
    .type deep, %function
    .thumb_func
  deep:
    ldr r7, [r8]
    bx lr
    .size deep, . - deep
    handler systick
    push {r4, lr}
    mov32 r0, 0x20000800
    movs r1, #5
    str r1, [r0]
  3: ldr r2, [r0]
    subs r2, #1
    str r2, [r0]
    bne 3b
    pop {r4, pc}
    .size systick_handler, . - systick_handler)");
  const Board board_ = load_board("stm32h743");
  const TemporaryDirectory directory_;
};

TEST_F(Windows, SleepIsPartOfEveryTotal) {
  const auto report = run_firmware({}, "");
  EXPECT_GT(report.causes[static_cast<size_t>(Cause::sleep)], 1000u);
  EXPECT_GT(report.causes[static_cast<size_t>(Cause::exception_entry)], 0u);
}

TEST_F(Windows, CyclesOfANetworkAddUp) {
  const Cost whole = cost_of(run_network({}, file("whole.mct")));
  const Ledger book = ledger(file("whole.mct"));
  ASSERT_EQ(book.of_cycles(0, UINT64_MAX), whole);
  const uint64_t edges[] = {0, whole.cycles / 9, whole.cycles / 3, whole.cycles / 2 + 1, whole.cycles - 400, UINT64_MAX};
  Cost sum;
  for (size_t i = 0; i + 1 < std::size(edges); ++i) {
    run_network({.cycles = Stretch{edges[i], edges[i + 1]}}, file("part.mct"));
    const Cost part = replayed(file("part.mct"));
    EXPECT_EQ(part, book.of_cycles(edges[i], edges[i + 1])) << i;
    sum += part;
  }
  EXPECT_EQ(sum, whole);
}

TEST_F(Windows, EveryLayerCostsWhatItDidInTheRun) {
  const auto whole = run_network({}, "");
  for (const auto& layer : whole.layers) {
    if (layer.op_index < 0) continue;
    run_network({.layer = layer.name}, file("layer.mct"));
    const ReplayResult part = replay(trace::TraceReader(file("layer.mct")), file("layer.mct"), {});
    EXPECT_EQ(cost_of(part.report), (Cost{layer.cycles, layer.instructions, layer.causes})) << layer.name;
    EXPECT_EQ(part.end.run_cycles, whole.cycles);
  }
}

TEST_F(Windows, InstructionsOfAnInterruptedRunAddUp) {
  const Cost whole = cost_of(run_firmware({}, file("whole.mct")));
  const Ledger book = ledger(file("whole.mct"));
  ASSERT_EQ(book.of_instructions(0, UINT64_MAX), whole);
  std::vector<uint64_t> edges = {0};
  while (edges.back() < whole.instructions) edges.push_back(edges.back() + 700 + 13 * edges.size());
  Cost sum;
  for (size_t i = 0; i + 1 < edges.size(); ++i) {
    run_firmware({.instructions = Stretch{edges[i], edges[i + 1]}}, file("part.mct"));
    const Cost part = replayed(file("part.mct"));
    EXPECT_EQ(part, book.of_instructions(edges[i], edges[i + 1])) << i;
    sum += part;
  }
  EXPECT_EQ(sum, whole);
}

// The shadow stack of the whole run is the oracle: what it charges to a function and
// what that called is what all recorded calls together take.
TEST_F(Windows, CallsOfAFunctionTakeItsInclusiveCycles) {
  CallTree tree([&](uint32_t address) { return function_name(firmware_, address); });
  run_firmware({}, file("whole.mct"));
  const auto estimator = make_estimator(board_);
  estimator->attach(&tree);
  trace::TraceReader(file("whole.mct")).replay(*estimator);
  const trace::CallProfile profile = tree.finish(estimator->now());
  const auto inclusive = trace::inclusive_cycles(profile);
  for (const char* name : {"work", "deep", "systick_handler"}) {
    uint64_t cycles = 0, calls = 0;
    for (size_t i = 0; i < profile.nodes.size(); ++i)
      if (profile.functions[profile.nodes[i].function].name == name) {
        cycles += inclusive[i];
        calls += profile.nodes[i].calls;
      }
    run_firmware({.symbol = name}, file("calls.mct"));
    const ReplayResult part = replay(trace::TraceReader(file("calls.mct")), file("calls.mct"), {});
    EXPECT_EQ(part.report.cycles, cycles) << name;
    EXPECT_EQ(part.end.stretches, calls) << name;
  }
}

TEST_F(Windows, ExportsOfAWindowTellItsTotal) {
  run_firmware({.instructions = Stretch{3001, 6003}}, file("part.mct"));
  ReplayOptions options;
  options.exports = {{"folded", file("folded.txt")}, {"chrome", file("chrome.json")}};
  const auto report = replay(trace::TraceReader(file("part.mct")), file("part.mct"), options).report;
  uint64_t folded = 0;
  std::istringstream lines(read_text_file(file("folded.txt")));
  for (std::string line; std::getline(lines, line);) folded += std::stoull(line.substr(line.rfind(' ') + 1));
  EXPECT_EQ(folded, report.cycles);
}

TEST_F(Windows, WhatCannotBeIsRefused) {
  EXPECT_THROW(run_firmware({.symbol = "no_such"}, file("t.mct")), Error);
  EXPECT_THROW(run_network({.layer = "no_such"}, file("t.mct")), Error);
  write_file(file("good.mct"), std::string("a good file"));
  try {
    run_firmware({.cycles = Stretch{uint64_t{1} << 40, UINT64_MAX}}, file("good.mct"));
    FAIL() << "recorded nothing and said nothing";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("never came to cycles 1099511627776:"));
  }
  EXPECT_EQ(read_text_file(file("good.mct")), "a good file");
  // Another clock would start in a state that it never led to.
  run_network({.layer = "0"}, file("layer.mct"));
  const trace::TraceReader reader(file("layer.mct"));
  EXPECT_THROW(replay(reader, "layer.mct", {.clock_mhz = 480}), Error);
  const auto report = replay(reader, "layer.mct", {.clock_mhz = 480, .allow_divergence = true}).report;
  EXPECT_THAT(report.notes, ::testing::Contains(HasSubstr("diverged")));
}

// Damage behind fresh checksums: one clear error or a replay that keeps all laws.
TEST_F(Windows, DamageBehindFreshChecksumsIsAnError) {
  run_firmware({.instructions = Stretch{3000, 3400}}, file("part.mct"));
  const auto good = read_file(file("part.mct"));
  const auto word = [&](size_t at) { uint32_t v; std::memcpy(&v, &good[at], 4); return v; };
  const size_t chunk = 8 + 8 + word(8);
  std::vector<uint8_t> events(word(chunk));
  ASSERT_EQ(ZSTD_decompress(events.data(), events.size(), &good[chunk + 12], word(chunk + 4)), events.size());
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    auto bad = events;
    for (uint32_t flips = 1 + random() % 3; flips > 0; --flips) bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    if (round % 8 == 0) bad.resize(random() % bad.size());
    std::vector<uint8_t> packed(ZSTD_compressBound(bad.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), bad.data(), bad.size(), 1));
    std::vector<uint8_t> out(good.begin(), good.begin() + static_cast<ptrdiff_t>(chunk));
    for (const uint32_t value : {static_cast<uint32_t>(bad.size()), static_cast<uint32_t>(packed.size()),
                                 static_cast<uint32_t>(crc32(0, bad.data(), static_cast<uInt>(bad.size())))})
      for (int byte = 0; byte < 4; ++byte) out.push_back(static_cast<uint8_t>(value >> 8 * byte));
    out.insert(out.end(), packed.begin(), packed.end());
    out.insert(out.end(), good.begin() + static_cast<ptrdiff_t>(chunk + 12 + word(chunk + 4)), good.end());
    write_file(file("bad.mct"), out);
    try {
      replay(trace::TraceReader(file("bad.mct")), "bad.mct", {});
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).rfind("bad.mct: ", 0), 0u) << error.what();
    }
  }
  EXPECT_GT(refused, 50);   // a cache tag or an address may change and cost the same
}

}  // namespace
}  // namespace mcusim
