// SPDX-License-Identifier: MIT
// `mcusim annotate` from outside: sums, the loop it finds, the timeline's own law, and
// source lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kernels/host/int_net.h"
#include "tests/e2e/program.h"
#include "tests/sim/small_net.h"
#include "tests/sim/support/guest.h"

namespace mcusim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// 1000 times round: the sum is needed one iteration later, the load in the same one.
constexpr const char* kLoop = R"(
__attribute__((noinline)) int total(const int* values, int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i)
    sum += values[i & 7];
  return sum;
}
int main(void) {
  static int values[8];
  values[3] = 1;
  return total(values, 1000) == 125 ? 0 : 1;
}
)";

class Annotate : public ::testing::Test {
 protected:
  Json json(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "annotate");
    arguments.push_back("--json");
    const Finished run = run_program(arguments);
    EXPECT_EQ(run.status, 0) << run.err;
    return run.status == 0 ? Json::parse(run.out) : Json();
  }
  const test::TemporaryDirectory directory_;
};

uint64_t sum(const Json& stretches) {
  uint64_t out = 0;
  for (const auto& stretch : stretches) out += stretch["cycles"].get<uint64_t>();
  return out;
}

// In order, one cause per cycle: an instruction issues when the one before it is done and
// its own wait is over, in a new cycle unless it is paired.
void expect_every_cycle_explained(const Json& timeline) {
  for (size_t i = 1; i < timeline.size(); ++i) {
    const uint64_t step = timeline[i]["issue_cycle"].get<uint64_t>() - timeline[i - 1]["issue_cycle"].get<uint64_t>();
    EXPECT_EQ(step, sum(timeline[i - 1]["holds"]) + sum(timeline[i]["waits"]) + (timeline[i]["paired"] ? 0 : 1))
        << i << ": " << timeline[i - 1] << timeline[i];
  }
}

TEST_F(Annotate, NetworkSumsAndTimelineAddUp) {
  const std::string net = directory_.path("net.bin");
  write_file(net, encode(small_net(1)));
  const Json out = json({net, "--iterations", "3"});
  uint64_t cycles = 0, count = 0;
  for (const auto& line : out["instructions"]) {
    cycles += line["cycles"].get<uint64_t>();
    count += line["count"].get<uint64_t>();
    uint64_t causes = 0;
    for (const auto& [cause, its] : line["causes"].items()) causes += its.get<uint64_t>();
    EXPECT_EQ(causes, line["cycles"].get<uint64_t>());
  }
  EXPECT_EQ(cycles, out["function"]["cycles"].get<uint64_t>());
  EXPECT_EQ(count, out["function"]["instructions"].get<uint64_t>());
  EXPECT_GT(out["timeline"].size(), 3u);
  expect_every_cycle_explained(out["timeline"]);
}

TEST_F(Annotate, FindsTheLoopItsLinesAndItsPace) {
  const std::string elf = test::build_c(directory_, kLoop, "-O1 -g");
  const Json out = json({elf, "--function", "total", "--iterations", "2"});
  ASSERT_FALSE(out.is_null());
  EXPECT_EQ(out["loop"]["iterations"], 1000);
  std::set<uint32_t> lines;
  for (const auto& line : out["instructions"]) {
    if (line["address"] < out["loop"]["first"] || line["address"] > out["loop"]["last"]) continue;
    EXPECT_EQ(line["count"], 1000);
    EXPECT_THAT(line["file"].get<std::string>(), HasSubstr(".c"));
    lines.insert(line["line"].get<uint32_t>());
  }
  EXPECT_THAT(lines, ::testing::IsSubsetOf({4u, 5u}));
  EXPECT_TRUE(lines.contains(5));

  // Two iterations of equal pace, which is the mean of all.
  const Json& timeline = out["timeline"];
  expect_every_cycle_explained(timeline);
  std::vector<uint64_t> heads;
  for (const auto& row : timeline)
    if (row["address"] == out["loop"]["first"]) heads.push_back(row["issue_cycle"].get<uint64_t>());
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_NEAR(static_cast<double>(heads[1] - heads[0]), out["loop"]["cycles"].get<double>() / 1000, 0.1);

  const Finished text = run_program({"annotate", elf, "--function", "total"});
  EXPECT_THAT(text.out, HasSubstr(".c:5"));
  EXPECT_THAT(text.out, HasSubstr("1000 iterations"));
  EXPECT_THAT(text.out, HasSubstr("E issue"));
}

TEST_F(Annotate, WithoutDebugInformationThereIsNoSourceColumn) {
  const std::string elf = test::build_c(directory_, kLoop, "-O1");
  const Finished text = run_program({"annotate", elf, "--function", "total", "--loop"});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, Not(HasSubstr("source")));
  const Finished refused = run_program({"annotate", elf, "--elf", elf});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("no DWARF line table"));
}

TEST_F(Annotate, OptionsOfARunAreRefusedForATrace) {
  const std::string net = directory_.path("net.bin"), trace = directory_.path("t.mct");
  write_file(net, encode(small_net(1)));
  ASSERT_EQ(run_program({"trace", net, "-o", trace, "-q"}).status, 0);
  const Finished run = run_program({"annotate", trace, "--clock-mhz", "480"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("--clock-mhz"));
  // The same figures with and without the detour over a file.
  EXPECT_EQ(json({trace}), json({net}));
}

}  // namespace
}  // namespace mcusim::testing
