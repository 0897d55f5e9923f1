// SPDX-License-Identifier: MIT
// The report as data: JSON there and back, conservation, page and pictures.
#include "sim/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "memmap/base/error.h"
#include "sim/report/numbers.h"
#include "sim/report/page.h"
#include "sim/report/svg.h"
#include "sim/report/table.h"
#include "sim/run/profile.h"

namespace mcusim::report {
namespace {

Run sample_run() {
  Run run;
  run.is_network = true;
  run.network = "net <&> \"quoted\"";
  run.board = "stm32h743";
  run.core_hz = 400'000'000;
  run.timing_table = "0123";
  run.cycles_low = 90;
  run.cycles_high = 140;
  Layer layer;
  layer.op_index = 0;
  layer.name = "conv <1>";
  layer.op = "conv2d";
  layer.in_bits = layer.weight_bits = layer.out_bits = 8;
  layer.macs = 50;
  layer.data_bytes = 30;
  layer.instructions = 80;
  layer.cycles = 100;
  layer.causes[0] = 60;
  layer.causes[2] = 40;
  Layer startup;
  startup.name = "start-up";
  startup.instructions = startup.cycles = startup.causes[0] = 10;
  run.layers = {startup, layer};
  run.cycles = 110;
  run.instructions = 90;
  run.causes[0] = 70;
  run.causes[2] = 40;
  run.functions = {{"f", 0x08000000, 90, 110, run.causes}};
  run.memories = {{"AXI_SRAM", "arena", 100, 100, 524288, 0x24000000}};
  run.regions = {{"DTCM", 0x20000000, 131072}, {"AXI_SRAM", 0x24000000, 524288}};
  run.arena_bytes_8bit = 160;
  run.layers[1].weight_bytes = 30;
  run.layers[1].weight_bytes_8bit = 60;
  run.layers[1].live_activation_bytes = 100;
  run.layers[1].live_activation_bytes_8bit = 160;
  run.arena = {{"x", 0, 60, 0, 0}, {"y", 60, 40, 0, 1}};
  run.top = {{3, -5, 0.25}};
  run.notes = {"a note"};
  return run;
}

TEST(Report, JsonReadsBackToTheSameBytes) {
  const std::string json = to_json(sample_run());
  EXPECT_EQ(to_json(from_json(json, "r.json")), json);
}

// A report as the first mcusim of this schema version wrote it.
TEST(Report, KeysAddedWithinTheVersionMayBeAbsent) {
  nlohmann::ordered_json old = nlohmann::ordered_json::parse(to_json(sample_run()));
  old["board"].erase("regions");
  old["program"].erase("arena_bytes_8bit");
  for (auto& layer : old["layers"]) layer.erase("weight_bytes_8bit"), layer.erase("live_activation_bytes_8bit");
  for (auto& memory : old["memory"]) memory.erase("address");
  const auto run = from_json(old.dump(), "r.json");
  EXPECT_EQ(run.cycles, sample_run().cycles);
  EXPECT_EQ(to_html(run).find("id=\"ram_plan\""), std::string::npos);
  old["totals"].erase("cycles");
  EXPECT_THROW(from_json(old.dump(), "r.json"), Error);
}

TEST(Report, ReaderRefusesDamageWithoutCrashing) {
  const std::string json = to_json(sample_run());
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = json;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (i % 3 == 0) damaged.resize(random() % damaged.size());
    try {
      from_json(damaged, "r.json");
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind("r.json: not a run report: ", 0), 0u);
    }
  }
}

TEST(Law1Conservation, HoldsOnASoundReportAndNamesTheBrokenSum) {
  EXPECT_NO_THROW(check_conservation(sample_run()));
  report::Run lost_layer = sample_run();
  lost_layer.layers.pop_back();
  EXPECT_THROW(check_conservation(lost_layer), std::logic_error);
  report::Run lost_cause = sample_run();
  lost_cause.causes[2] -= 1;
  EXPECT_THROW(check_conservation(lost_cause), std::logic_error);
  report::Run lost_function = sample_run();
  lost_function.functions[0].cycles += 1;
  EXPECT_THROW(check_conservation(lost_function), std::logic_error);
}

TEST(Report, TextSaysTotalsPeaksAndRange) {
  const std::string text = to_text(sample_run(), {.why = true});
  for (const char* part : {"110 cycles = 0.000 ms at 400 MHz", "guessed constants span 90 to 140", "conv <1>",
                           "load-use 40.0%", "AXI_SRAM", "top: #3 -5 (0.25)", "note: a note"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(Report, PageIsSelfContainedEscapedAndHasEveryChart) {
  const std::string page = to_html(sample_run());
  for (const char* part : {"id=\"layers\"", "id=\"memory\"", "id=\"arena\"", "id=\"roofline\"",
                           "id=\"functions\"", "id=\"ram_plan\"", "id=\"flash_plan\"", "default-src 'none'", "net &lt;&amp;&gt; &quot;quoted&quot;"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  for (const char* part : {"src=", "@import", "url(", "conv <1>"})
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  // The only addresses are the SVG name space, which is never fetched.
  size_t at = 0;
  while ((at = page.find("://", at)) != std::string::npos) {
    EXPECT_EQ(page.compare(at - 4, 26, "http://www.w3.org/2000/svg"), 0);
    ++at;
  }
}

TEST(Report, FunctionNamesLoseReturnTypeAndArguments) {
  for (const auto& [name, expected] : {std::pair{"void a::b<c::D<1>, (e)3>(f const&, g)", "a::b<D<1>, (e)3>"},
                                       {"main", "main"}, {"f(int) const", "f"}, {"(exception entry and return)", "(exception entry and return)"},
                                       {"0x08000000", "0x08000000"}, {"unsigned int g<h>()", "g<h>"}, {"a::(anonymous namespace)::b(int)", "a::b"}})
    EXPECT_EQ(short_function(name), expected);
}

TEST(Report, NumbersReadWell) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(18446744073709551615u), "18,446,744,073,709,551,615");
  EXPECT_EQ(short_bytes(524288), "512 KiB");
  EXPECT_EQ(short_bytes(1023), "1023 B");
  EXPECT_EQ(short_count(1250000), "1.2 M");
  EXPECT_EQ(ticks(100, 5), (std::vector<uint64_t>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(ticks(401408, 6, true), (std::vector<uint64_t>{0, 131072, 262144, 393216, 524288}));
  EXPECT_EQ(ticks(0, 5), (std::vector<uint64_t>{0}));
}

TEST(Table, AlignsToTheWidestCellAndRefusesShortRows) {
  Table table({{"a"}, {"name", Align::left}});
  table.add({"100", "x"});
  EXPECT_EQ(table.text(), "  a  name\n100  x\n");
  EXPECT_THROW(table.add({"1"}), std::logic_error);
}

// A block of two instructions at 0x100 and 0x102, run with invented costs.
class ProfileStream : public ::testing::Test {
 protected:
  ProfileStream() {
    block_.instructions.resize(2);
    block_.instructions[0].address = 0x100;
    block_.instructions[1].address = 0x102;
  }
  void run(uint32_t first_cycles, uint32_t second_cycles) {
    const InstructionCycles parts[] = {{0, Cause::issued, first_cycles}, {1, Cause::load_use, second_cycles}};
    const trace::Access accesses[] = {{0x20000000, 4, false, 0}};
    const trace::BlockRun block_run{.block = 0, .instructions = 2, .accesses = accesses};
    profile_.timed({&block_, &block_run, 0, first_cycles + second_cycles, parts});
  }
  DecodedBlock block_;
  Profile profile_;
};

TEST_F(ProfileStream, SplitsByLayerAndByFunction) {
  run(1, 2);
  profile_.mark({trace::kLayerBegin, 1}, 3);
  run(3, 4);
  profile_.mark({trace::kLayerEnd, 1}, 10);
  run(5, 6);
  EXPECT_EQ(profile_.startup().cycles, 3u);
  ASSERT_EQ(profile_.layers().size(), 2u);
  EXPECT_EQ(profile_.layers()[0].cycles, 0u);
  EXPECT_EQ(profile_.layers()[1].cycles, 7u);
  EXPECT_EQ(profile_.layers()[1].data_bytes, 4u);
  EXPECT_EQ(profile_.between().cycles, 11u);
  EXPECT_EQ(profile_.total().cycles, 21u);
  const auto functions = profile_.functions([](uint32_t address) -> std::pair<std::string, uint32_t> {
    return {address < 0x102 ? "first" : "second", address};
  });
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[0].name, "second");
  EXPECT_EQ(functions[0].cycles, 12u);
  EXPECT_EQ(functions[1].cycles, 9u);
  EXPECT_EQ(functions[1].instructions, 3u);
}

TEST_F(ProfileStream, RefusesPartsThatDoNotAddUp) {
  const InstructionCycles parts[] = {{0, Cause::issued, 1}};
  const trace::BlockRun block_run{.block = 0, .instructions = 2};
  EXPECT_THROW(profile_.timed({&block_, &block_run, 0, 2, parts}), std::logic_error);
}

TEST_F(ProfileStream, IgnoresMarksOfNoLayer) {
  profile_.mark({trace::kLayerBegin, 0xFFFFFFFF}, 0);
  profile_.mark({7, 3}, 0);
  run(1, 1);
  EXPECT_TRUE(profile_.layers().empty());
  EXPECT_EQ(profile_.startup().cycles, 2u);
}

}  // namespace
}  // namespace mcusim::report
