// SPDX-License-Identifier: MIT
// Traces and exports from outside: every form of a run tells the same total.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/host/int_net.h"
#include "tests/e2e/program.h"
#include "tests/sim/small_net.h"

namespace mcusim::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Traces : public ::testing::Test {
 protected:
  Traces() { write_file(net_, encode(small_net(1))); }
  std::string file(const char* name) const { return directory_.file(name); }
  Json json(const char* name) const { return Json::parse(read_text_file(file(name))); }
  void expect_ok(const std::vector<std::string>& arguments) {
    const Finished run = run_program(arguments);
    ASSERT_EQ(run.status, 0) << run.err;
  }

  const TemporaryDirectory directory_;
  const std::string net_ = file("net.bin");
};

TEST_F(Traces, Law3ReplayEqualsLive) {
  expect_ok({"trace", net_, "-o", file("t.mct"), "--json", file("live.json"), "-q"});
  expect_ok({"replay", file("t.mct"), "--json", file("replay.json")});
  const Json live = json("live.json"), replayed = json("replay.json");
  for (const char* key : {"totals", "layers", "functions", "timing", "board"}) EXPECT_EQ(live[key], replayed[key]) << key;
}

TEST_F(Traces, EqualRunsGiveEqualTraces) {
  expect_ok({"trace", net_, "-o", file("a.mct"), "-q"});
  expect_ok({"trace", net_, "-o", file("b.mct"), "-q"});
  EXPECT_EQ(read_file(file("a.mct")), read_file(file("b.mct")));
}

TEST_F(Traces, ReplayAtAnotherClockAgreesWithARunAtThatClock) {
  // The network's path is the same; the start-up of 480 MHz takes more steps (VOS0),
  // so caches and predictor enter it in another state: equal within 0.5 %.
  expect_ok({"trace", net_, "-o", file("t.mct"), "-q"});
  expect_ok({"replay", file("t.mct"), "--clock-mhz", "480", "--json", file("replay.json")});
  expect_ok({"run", net_, "--clock-mhz", "480", "--json", file("run.json"), "-q"});
  const Json replayed = json("replay.json"), run = json("run.json");
  EXPECT_EQ(replayed["board"], run["board"]);
  for (size_t i = 1; i + 1 < run["layers"].size(); ++i)
    EXPECT_NEAR(replayed["layers"][i]["cycles"].get<double>() / run["layers"][i]["cycles"].get<double>(), 1, 0.005)
        << run["layers"][i]["name"];
}

TEST_F(Traces, EveryExportTellsTheTotalOfTheReport) {
  expect_ok({"run", net_, "-q", "--json", file("r.json"), "--export", "folded=" + file("f.txt"), "--export",
             "callgrind=" + file("callgrind.out"), "--export", "chrome=" + file("c.json"), "--export",
             "csv=" + file("l.csv"), "--export", "github=" + file("g.json")});
  const uint64_t cycles = json("r.json")["totals"]["cycles"];

  uint64_t folded = 0;
  std::istringstream lines(read_text_file(file("f.txt")));
  for (std::string line; std::getline(lines, line);) folded += std::stoull(line.substr(line.rfind(' ') + 1));
  EXPECT_EQ(folded, cycles);

  // The outermost slices of the function track cover the run without gaps.
  double covered = 0;
  const Json chrome = json("c.json");
  for (const auto& event : chrome["traceEvents"])
    if (event["ph"] == "X" && event["tid"] == 2 && event["name"] == "reset_handler") covered += event["dur"].get<double>();
  EXPECT_NEAR(covered * 1000, static_cast<double>(cycles), 0.5);

  EXPECT_EQ(json("g.json")[0]["value"], cycles);
  EXPECT_THAT(read_text_file(file("callgrind.out")), HasSubstr("summary: " + std::to_string(cycles)));
}

TEST_F(Traces, CallgrindAnnotateReadsTheExport) {
  if (std::system("command -v callgrind_annotate >/dev/null 2>&1") != 0) GTEST_SKIP() << "valgrind is not installed";
  expect_ok({"run", net_, "-q", "--json", file("r.json"), "--export", "callgrind=" + file("callgrind.out")});
  const std::string text = run_tool({"callgrind_annotate", file("callgrind.out")}, directory_.path());
  std::string total = std::to_string(json("r.json")["totals"]["cycles"].get<uint64_t>());
  for (int at = static_cast<int>(total.size()) - 3; at > 0; at -= 3) total.insert(static_cast<size_t>(at), ",");
  EXPECT_THAT(text, HasSubstr(total + " (100.0%)"));
}

TEST_F(Traces, InspectAndAnnotateAgreeWithTheRun) {
  expect_ok({"trace", net_, "-o", file("t.mct"), "--json", file("r.json"), "-q"});
  const Finished inspect = run_program({"inspect", file("t.mct"), "--json"});
  ASSERT_EQ(inspect.status, 0) << inspect.err;
  const Json facts = Json::parse(inspect.out), report = json("r.json");
  EXPECT_EQ(facts["cycles"], report["totals"]["cycles"]);
  uint64_t executed = 0;
  for (const auto& [mnemonic, count] : facts["mnemonics"].items()) executed += count.get<uint64_t>();
  EXPECT_EQ(executed, report["totals"]["instructions"].get<uint64_t>());

  const std::string hottest = report["functions"][0]["name"];
  const Finished annotate = run_program({"annotate", file("t.mct")});
  ASSERT_EQ(annotate.status, 0) << annotate.err;
  EXPECT_THAT(annotate.out, HasSubstr(hottest));
  EXPECT_THAT(annotate.out, HasSubstr(std::to_string(report["functions"][0]["cycles"].get<uint64_t>()) + " cycles"));
}

TEST_F(Traces, BadTracesAndRequestsGetOneLine) {
  write_file(file("bad.mct"), std::string("MCTR and then nothing"));
  for (const char* verb : {"replay", "inspect", "annotate"}) {
    const Finished run = run_program({verb, file("bad.mct")});
    EXPECT_EQ(run.status, 1) << verb;
    EXPECT_THAT(run.err, HasSubstr("bad.mct"));
  }
  expect_ok({"trace", net_, "-o", file("t.mct"), "-q"});
  EXPECT_THAT(run_program({"annotate", file("t.mct"), "--function", "no_such"}).err, HasSubstr("no_such"));
  EXPECT_THAT(run_program({"inspect", file("t.mct"), "--layer", "no_such"}).err, HasSubstr("no_such"));
  EXPECT_EQ(run_program({"run", net_, "--export", "gprof=x"}).status, 2);
  EXPECT_EQ(run_program({"trace", net_, "-o", "/dev/full", "-q"}).status, 1);
}

}  // namespace
}  // namespace mcusim::testing
