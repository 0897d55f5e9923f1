// SPDX-License-Identifier: MIT
// Exporters against the rules of their formats; totals are never lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <sstream>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "traces/call_profile.h"
#include "traces/chrome_trace.h"
#include "traces/tarmac.h"

namespace mcusim::trace {
namespace {

// A random tree with costs at one address per function.
CallProfile random_profile(uint32_t seed) {
  std::mt19937 random(seed);
  CallProfile profile;
  profile.program = "p\nq.elf";
  for (uint32_t i = 0; i < 6; ++i) profile.functions.push_back({i == 3 ? "a;b\nc" : "f" + std::to_string(i), 0x100 * i});
  profile.nodes.push_back({});
  profile.costs.resize(6);
  for (uint32_t i = 0; i < 6; ++i) profile.costs[i] = {0x100 * i + 4, i, 0, 0};
  for (uint32_t i = 1; i < 40; ++i) {
    CallNode node{static_cast<uint32_t>(1 + random() % 5), static_cast<uint32_t>(random() % i), 0x10, 1, random() % 50, random() % 100};
    profile.nodes.push_back(node);
    profile.costs[node.function].cycles += node.self_cycles;
    profile.costs[node.function].instructions += node.self_instructions;
    profile.cycles += node.self_cycles;
    profile.instructions += node.self_instructions;
  }
  return profile;
}

TEST(Folded, WeightsSumToTheTotalAndLinesStayWhole) {
  const CallProfile profile = random_profile(1);
  std::istringstream text(write_folded(profile));
  uint64_t sum = 0;
  for (std::string line; std::getline(text, line);) {
    const size_t space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    sum += std::stoull(line.substr(space + 1));
    EXPECT_EQ(line.find("a;b"), std::string::npos);
  }
  EXPECT_EQ(sum, profile.cycles);
}

// Reads the format's own rules: after calls=, one line of inclusive cost.
TEST(Callgrind, SelfCostsSumToTheSummary) {
  const CallProfile profile = random_profile(2);
  std::istringstream text(write_callgrind(profile));
  uint64_t sum = 0, summary = 0;
  bool skip = false;
  for (std::string line; std::getline(text, line);) {
    unsigned address = 0;
    unsigned long long zero = 0, cycles = 0, instructions = 0;
    if (std::sscanf(line.c_str(), "summary: %llu", &cycles) == 1) summary = cycles;
    if (line.starts_with("calls=")) skip = true;
    if (std::sscanf(line.c_str(), "0x%x %llu %llu %llu", &address, &zero, &cycles, &instructions) != 4) continue;
    if (!skip) sum += cycles;
    skip = false;
  }
  EXPECT_EQ(summary, profile.cycles);
  EXPECT_EQ(sum, profile.cycles);
}

TEST(CallProfile, InclusiveCyclesOfTheRootAreTheTotal) {
  const CallProfile profile = random_profile(3);
  EXPECT_EQ(inclusive_cycles(profile)[0], profile.cycles);
}

class ChromeTraceFile : public ::testing::Test {
 protected:
  ~ChromeTraceFile() override { std::filesystem::remove(path_); }
  nlohmann::json read() const { return nlohmann::json::parse(read_text_file(path_)); }
  const std::string path_ = (std::filesystem::temp_directory_path() / ("chrome_trace_test." + std::to_string(::getpid()))).string();
};

TEST_F(ChromeTraceFile, OneCycleIsOneNanosecondAndOpenSlicesAreClosed) {
  ChromeTrace trace(path_, "a\"b");
  trace.enter(Track::layers, "conv\n", 1500);
  trace.enter(Track::functions, "kernel", 2000);
  trace.counter("stack", 2100, 64);
  trace.leave(Track::functions, 4321);
  trace.finish(5000);
  double layer_end = 0, kernel_length = 0;
  const auto document = read();
  for (const auto& event : document.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    if (event.at("name") == "conv\n") layer_end = event.at("ts").get<double>() + event.at("dur").get<double>();
    if (event.at("name") == "kernel") kernel_length = event.at("dur").get<double>();
  }
  EXPECT_DOUBLE_EQ(layer_end, 5.0);
  EXPECT_DOUBLE_EQ(kernel_length, 2.321);
}

TEST_F(ChromeTraceFile, StaysUnderItsBoundAndKeepsLongSlices) {
  constexpr uint64_t kBound_bytes = 200'000;
  ChromeTrace trace(path_, "p", kBound_bytes);
  uint64_t cycle = 0;
  for (int i = 0; i < 100'000; ++i) {
    trace.enter(Track::functions, "short", cycle);
    trace.leave(Track::functions, cycle += 10);
  }
  trace.enter(Track::functions, "long", cycle);
  trace.leave(Track::functions, cycle += 1'000'000);
  trace.enter(Track::functions, "short", cycle);
  trace.leave(Track::functions, cycle += 3);
  trace.finish(cycle);
  uint64_t covered = 0;
  const auto document = read();
  for (const auto& event : document.at("traceEvents"))
    if (event.at("ph") == "X") covered += static_cast<uint64_t>(event.at("dur").get<double>() * 1000 + 0.5);
  EXPECT_EQ(covered, cycle);
  EXPECT_LT(std::filesystem::file_size(path_), kBound_bytes + 1000);
  EXPECT_GT(trace.dropped(), 90'000u);
  EXPECT_NE(read_text_file(path_).find("\"long\""), std::string::npos);
}

TEST_F(ChromeTraceFile, AbandonedTraceLeavesAGoodFileAlone) {
  write_file(path_, std::string("good"));
  {
    ChromeTrace trace(path_, "p");
    trace.enter(Track::layers, "x", 0);
  }
  EXPECT_EQ(read_text_file(path_), "good");
}

// The grammar is that of tarmac-trace-utilities' lib/parser.cpp, for the lines written
// here: time, unit, event, then by event. Its own parser was run over such files.
TEST(TarmacText, LinesKeepTheGrammar) {
  const std::string path = (std::filesystem::temp_directory_path() / ("tarmac_test." + std::to_string(::getpid()))).string();
  Tarmac tarmac(path);
  tarmac.instruction(7, false, 0x080001a4, 0x6829, 2, false, "ldr r1, [r5]");
  tarmac.access(7, false, 0x20000010, 4);
  tarmac.instruction(8, true, 0x080001a6, 0xf8a71004, 4, true, "strheq.w r1, [r7, #4]");
  tarmac.access(9, true, 0x20000011, 1);
  tarmac.access(9, true, 0x20000018, 8);
  tarmac.exception(10, 0x08000220, 15);
  tarmac.exception(11, 0x08000222, 37);
  tarmac.finish();
  EXPECT_EQ(read_text_file(path),
            "7 clk IT (0) 080001a4 6829 T thread : ldr r1, [r5]\n"
            "7 clk MR4 20000010 xxxxxxxx\n"
            "8 clk IS (1) 080001a6 f8a71004 T handler : strheq.w r1, [r7, #4]\n"
            "9 clk MW1 20000011 xx\n"
            "9 clk MW8 20000018 xxxxxxxxxxxxxxxx\n"
            "10 clk E 08000220 0000000f CoreEvent_SysTick\n"
            "11 clk E 08000222 00000025 CoreEvent_IRQ21\n");
  const std::regex line(R"(\d+ clk (I[TS] \(\d+\) [0-9a-f]{8} ([0-9a-f]{4}|[0-9a-f]{8}) T \w+ : \S.*|M[RW][1248] [0-9a-f]{8} x+|E [0-9a-f]{8} [0-9a-f]{8} CoreEvent_\w+))");
  std::istringstream text(read_text_file(path));
  for (std::string each; std::getline(text, each);) EXPECT_TRUE(std::regex_match(each, line)) << each;
  std::filesystem::remove(path);
}

TEST(FileWriter, FullDiskIsAnErrorAndNotAHalfFile) {
  FileWriter writer("/dev/full");
  EXPECT_THROW(
      {
        writer.write(std::string(1 << 17, 'x'));
        writer.commit();
      },
      Error);
}

}  // namespace
}  // namespace mcusim::trace
