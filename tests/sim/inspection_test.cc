// SPDX-License-Identifier: MIT
// What inspect counts and what streamed exports write, against figures that follow from
// the guest: lines of a buffer, instructions of a run, cycles of a layer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "kernels/host/int_net.h"
#include "memmap/base/error.h"
#include "sim/image/tool.h"
#include "sim/run/inspection.h"
#include "sim/run/network_run.h"
#include "sim/run/replay.h"
#include "tests/sim/small_net.h"
#include "tests/sim/support/guest.h"

namespace mcusim {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;

class Inspections : public ::testing::Test {
 protected:
  std::string file(const char* name) const { return directory_.file(name); }
  report::Run record(const Program& program, std::vector<ExportRequest> exports = {}) {
    SimulationOptions options;
    options.clock = board_.clocks.front();
    options.record_path = file("t.mct");
    options.exports = std::move(exports);
    Simulation simulation(board_, options);
    simulation.load(program);
    const report::Run report = simulation.run();
    simulation.finish(report);
    return report;
  }
  Inspection inspected(const InspectRequest& request) { return inspect(trace::TraceReader(file("t.mct")), "t.mct", request); }

  const Board board_ = load_board("stm32h743");
  const TemporaryDirectory directory_;
};

// Layer 0 writes 8 KiB of AXI SRAM, layer 1 reads them, layer 2 reads 4 KiB of flash,
// layer 3 reads 256 bytes with the data cache off. The cache holds 16 KiB. Each pass is
// a call, because a block belongs to the layer that is open when it begins.
constexpr const char* kPasses = R"(
    mov32 r10, 0xE000ED14
    ldr r1, [r10]
    orr r1, #0x30000
    str r1, [r10]
    dsb
    isb
    mov32 r9, 0xE0000000
    movs r0, #0
    mov32 r4, 0x24000000
    movw r5, #2048
    str r0, [r9, #4]
    bl fill
    str r0, [r9, #8]
    movs r0, #1
    mov32 r4, 0x24000000
    movw r5, #2048
    str r0, [r9, #4]
    bl walk
    str r0, [r9, #8]
    movs r0, #2
    mov32 r4, 0x08010000
    movw r5, #1024
    str r0, [r9, #4]
    bl walk
    str r0, [r9, #8]
    ldr r1, [r10]
    bic r1, #0x10000
    str r1, [r10]
    dsb
    isb
    movs r0, #3
    mov32 r4, 0x24000000
    movw r5, #64
    str r0, [r9, #4]
    bl walk
    str r0, [r9, #8]
    exit 0)";
constexpr const char* kWalk = R"(
    .type fill, %function
    .thumb_func
  fill:
    str r5, [r4], #4
    subs r5, #1
    bne fill
    bx lr
    .size fill, . - fill
    .type walk, %function
    .thumb_func
  walk:
    ldr r6, [r4], #4
    subs r5, #1
    bne walk
    bx lr
    .size walk, . - walk)";

TEST_F(Inspections, MissesFollowFromTheBuffer) {
  record(test::assemble(kPasses, kWalk));
  const auto layer = [&](const char* name) { return inspected({.layer = name}).regions; };
  const RegionAccesses written = layer("0")["AXI_SRAM"], read = layer("1")["AXI_SRAM"], flash = layer("2")["FLASH"],
                       off = layer("3")["AXI_SRAM"];
  EXPECT_EQ(written.writes, 2048u);
  EXPECT_EQ(written.data_fills, 8192u / 32);        // every line once
  EXPECT_EQ(written.uncached, 0u);
  EXPECT_EQ(read.reads, 2048u);
  EXPECT_EQ(read.read_bytes, 8192u);
  EXPECT_EQ(read.data_fills, 0u);
  EXPECT_EQ(flash.reads, 1024u);
  EXPECT_EQ(flash.data_fills, 4096u / 32);
  EXPECT_EQ(off.reads, 64u);
  EXPECT_EQ(off.uncached, 64u);
  EXPECT_EQ(off.data_fills, 0u);

  const Inspection all = inspected({});
  std::set<uint32_t> lines;
  for (const auto& line : all.addresses) lines.insert(line.address / 32);
  EXPECT_GT(all.regions.at("FLASH").instruction_fills, 0u);
  EXPECT_LE(all.regions.at("FLASH").instruction_fills, lines.size() + 1);
  EXPECT_EQ(all.regions.at("FLASH").instructions, all.report.instructions);
  uint64_t heat = 0, accesses = 0;
  for (const auto& page : all.pages) heat += page.accesses;
  for (const auto& [name, region] : all.regions) accesses += region.reads + region.writes;
  EXPECT_EQ(heat, accesses);
  EXPECT_THAT(inspected({.region = "AXI_SRAM"}).pages, Each(Field(&Inspection::Page::region, "AXI_SRAM")));
  EXPECT_EQ(inspected({.region = "AXI_SRAM"}).pages.size(), 2u);
}

TEST_F(Inspections, EveryListAddsUpAndFiltersCutIt) {
  record(test::assemble(kPasses, kWalk));
  const Inspection all = inspected({});
  const auto sum = [](const auto& rows, auto part) {
    uint64_t total = 0;
    for (const auto& row : rows) total += part(row);
    return total;
  };
  EXPECT_EQ(sum(all.functions, [](const auto& f) { return f.cycles; }), all.report.cycles);
  EXPECT_EQ(sum(all.blocks, [](const auto& b) { return b.cycles; }), all.report.cycles);
  EXPECT_EQ(sum(all.addresses, [](const auto& a) { return a.executed; }), all.report.instructions);
  EXPECT_EQ(sum(all.mnemonics, [](const auto& m) { return m.second; }), all.report.instructions);

  const Inspection walk = inspected({.symbol = "walk"});
  const auto row = std::find_if(all.functions.begin(), all.functions.end(), [](const auto& f) { return f.name == "walk"; });
  ASSERT_NE(row, all.functions.end());
  EXPECT_EQ(walk.cycles, row->cycles);
  EXPECT_EQ(walk.instructions, 3u * (2048 + 1024 + 64) + 3);
  EXPECT_THAT(walk.blocks, Each(Field(&Inspection::Block::function, "walk")));
  EXPECT_EQ(inspected({.layer = "1", .symbol = "walk"}).instructions, 3u * 2048 + 1);
  EXPECT_THROW(inspected({.symbol = "no_such"}), Error);
  EXPECT_THROW(inspected({.region = "no_such"}), Error);
}

TEST_F(Inspections, TarmacHoldsEveryInstructionAndAccess) {
  const auto report = record(test::assemble(kPasses, kWalk), {{"tarmac", file("t.txt")}});
  const Inspection all = inspected({});
  uint64_t executed = 0, accesses = 0, wanted = 0, last = 0;
  std::istringstream lines(read_text_file(file("t.txt")));
  for (std::string line; std::getline(lines, line);) {
    const uint64_t time = std::stoull(line);
    EXPECT_GE(time, last);
    last = time;
    if (line.find(" clk I") != std::string::npos) ++executed;
    if (line.find(" clk M") != std::string::npos) ++accesses;
  }
  for (const auto& [name, region] : all.regions) wanted += region.reads + region.writes;
  EXPECT_EQ(executed, report.instructions);
  EXPECT_EQ(accesses, wanted);
  EXPECT_EQ(last, report.cycles);
}

TEST_F(Inspections, ChromeShowsLayersStackAndArenaOfANetwork) {
  NetworkRunOptions options;
  options.simulation.clock = board_.clocks.front();
  options.simulation.exports = {{"chrome", file("c.json")}};
  const NetworkRun network(board_, encode(testing::small_net(1)), options);
  const auto report = network.run({std::vector<uint8_t>(8 * 8 * 3, 77)}).report;
  const auto cycles = [](const nlohmann::json& microseconds) {
    return static_cast<uint64_t>(microseconds.get<double>() * 1000 + 0.5);
  };
  uint64_t covered = 0;
  std::map<std::string, uint64_t> layers;
  std::vector<uint64_t> arena;
  double deepest = 0, instructions = 0, per_cycle = 0;
  uint64_t sampled = 0;
  const auto document = nlohmann::json::parse(read_text_file(file("c.json")));
  for (const auto& event : document["traceEvents"]) {
    if (event["ph"] == "X" && event["tid"] == 1) layers[event["name"]] += cycles(event["dur"]);
    if (event["ph"] == "X" && event["name"] == "reset_handler") covered += cycles(event["dur"]);
    if (event["ph"] != "C") continue;
    const double value = event["args"]["value"];
    if (event["name"] == "arena bytes") arena.push_back(static_cast<uint64_t>(value));
    if (event["name"] == "stack bytes") deepest = std::max(deepest, value);
    if (event["name"] == "IPC") {
      instructions += per_cycle * static_cast<double>(cycles(event["ts"]) - sampled);
      sampled = cycles(event["ts"]);
      per_cycle = value;
    }
  }
  instructions += per_cycle * static_cast<double>(report.cycles - sampled);
  EXPECT_EQ(covered, report.cycles);
  EXPECT_NEAR(instructions, static_cast<double>(report.instructions), 0.001 * static_cast<double>(report.cycles));
  std::vector<uint64_t> live;
  for (const auto& layer : report.layers) {
    if (layer.op_index < 0) continue;
    EXPECT_EQ(layers[layer.name], layer.cycles) << layer.name;
    live.push_back(layer.live_activation_bytes);
  }
  EXPECT_EQ(arena, live);
  const auto stack = std::find_if(report.memories.begin(), report.memories.end(), [](const auto& m) { return m.use == "stack"; });
  ASSERT_NE(stack, report.memories.end());
  EXPECT_EQ(deepest, static_cast<double>(stack->peak_bytes));
}

// SysTick is a clock that the guest observes: at another speed it would have ticked at
// other instructions.
TEST_F(Inspections, AnotherClockNeedsAGuestThatNeverLookedAtOne) {
  record(test::assemble(R"(
    mov32 r0, 0xE000E010
    movw r1, #999
    str r1, [r0, #4]
    str r1, [r0, #8]
    movs r1, #7
    str r1, [r0]
    movw r3, #1000
  1: subs r3, #1
    bne 1b
    exit 0)", "handler systick\n bx lr"));
  const trace::TraceReader ticked(file("t.mct"));
  try {
    replay(ticked, "t.mct", {.clock_mhz = 480});
    FAIL() << "timed a path that depends on the clock";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--allow-divergence"));
  }
  EXPECT_THAT(replay(ticked, "t.mct", {.clock_mhz = 480, .allow_divergence = true}).report.notes,
              ::testing::Contains(HasSubstr("diverged")));
  record(test::assemble(kPasses, kWalk));
  const auto plain = replay(trace::TraceReader(file("t.mct")), "t.mct", {.clock_mhz = 480}).report;
  EXPECT_THAT(plain.notes, ::testing::Not(::testing::Contains(HasSubstr("diverged"))));
}

}  // namespace
}  // namespace mcusim
