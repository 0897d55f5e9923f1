// SPDX-License-Identifier: MIT
// `mcusim sweep` from outside: every point equals a run of its own, the order of the
// processes does not show, a killed sweep goes on, and what changed is run again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "kernels/host/int_net.h"
#include "tests/e2e/program.h"
#include "tests/sim/small_net.h"

namespace mcusim::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using nlohmann::json;

class Sweep : public ::testing::Test {
 protected:
  Sweep() { write_file(net_, encode(small_net(1))); }

  std::string file(const std::string& name) const { return directory_.file(name); }
  std::vector<std::string> command(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"sweep", net_,     "--state", file(name + ".state"), "--csv",
                                    file(name + ".csv"), "--json", file(name + ".json")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<fs::path> finished(const std::string& name) const {
    std::vector<fs::path> points;
    if (fs::exists(file(name + ".state")))
      for (const auto& entry : fs::directory_iterator(file(name + ".state")))
        if (entry.path().extension() == ".point") points.push_back(entry.path());
    return points;
  }

  const TemporaryDirectory directory_;
  const std::string net_ = file("net.bin");
};

const std::vector<std::string> kMatrix = {"--clock-mhz", "64,400", "--caches", "on,off", "--place",
                                          "arena=AXI_SRAM:DTCM:sram1,weights=flash:AXI_SRAM,code=flash:itcm"};

TEST_F(Sweep, EveryPointEqualsARunOfItsOwn) {
  const Finished sweep = run_program(command("a", {"--place", "arena=AXI_SRAM:DTCM,weights=flash:SRAM1", "--place",
                                                   "code=itcm", "--caches", "off,on", "--verify"}));
  ASSERT_EQ(sweep.status, 0) << sweep.err;
  const json table = json::parse(read_text_file(file("a.json")));
  ASSERT_EQ(table["points"].size(), 10u);   // (2 x 2 + 1) x 2
  EXPECT_EQ(table["points"][0]["caches"], false);
  EXPECT_EQ(table["points"][1]["caches"], true);
  EXPECT_EQ(table["points"][2]["weights"], "SRAM1");
  EXPECT_EQ(table["points"][4]["arena"], "DTCM");
  EXPECT_EQ(table["points"][8]["code"], "ITCM");
  for (const auto& point : table["points"]) {
    std::string place = "arena=" + point["arena"].get<std::string>();
    for (const char* what : {"code", "weights"}) place += fmt::format(",{}={}", what, point[what].get<std::string>());
    SCOPED_TRACE(place);
    const Finished run = run_program({"run", net_, "-q", "--json", file("run.json"), "--place", place, "--caches",
                                      point["caches"].get<bool>() ? "on" : "off"});
    ASSERT_EQ(run.status, 0) << run.err;
    const json report = json::parse(read_text_file(file("run.json")));
    uint64_t startup = 0;
    for (const auto& layer : report["layers"])
      if (layer["name"] == "start-up") startup = layer["cycles"];
    EXPECT_EQ(point["startup_cycles"], startup);
    EXPECT_EQ(point["inference_cycles"].get<uint64_t>() + startup, report["totals"]["cycles"]);
    EXPECT_EQ(point["image_bytes"], report["program"]["image_bytes"]);
    // Law 4 wherever things lie.
    for (const auto& memory : report["memory"]) {
      if (memory["planned_bytes"] == 0) continue;
      EXPECT_EQ(memory["peak_bytes"], memory["planned_bytes"]) << memory;
    }
  }
}

TEST_F(Sweep, JobsDoNotShow) {
  auto one = kMatrix, two = kMatrix;
  one.insert(one.end(), {"--jobs", "1"});
  two.insert(two.end(), {"--jobs", "3"});
  ASSERT_EQ(run_program(command("one", one)).status, 0);
  ASSERT_EQ(run_program(command("two", two)).status, 0);
  EXPECT_EQ(read_text_file(file("one.csv")), read_text_file(file("two.csv")));
  EXPECT_EQ(read_text_file(file("one.json")), read_text_file(file("two.json")));
  EXPECT_EQ(finished("one").size(), 2u * 3 * 2 * 2 * 2);
}

TEST_F(Sweep, AKilledSweepGoesOn) {
  auto matrix = kMatrix;
  matrix.insert(matrix.end(), {"--jobs", "2", "-q"});
  ASSERT_EQ(run_program(command("whole", matrix)).status, 0);
  const size_t all = finished("whole").size();

  std::vector<std::string> arguments = command("cut", matrix);
  arguments.insert(arguments.begin(), std::string(MCUSIM_BINARY_DIR) + "/mcusim");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environ), 0);
  while (finished("cut").size() < 3 && kill(child, 0) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the sweep was over before it was killed";
  const auto before = finished("cut");
  ASSERT_LT(before.size(), all);
  std::map<fs::path, fs::file_time_type> times;
  for (const auto& path : before) times[path] = fs::last_write_time(path);

  const Finished rest = run_program(command("cut", matrix));
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_EQ(rest.err, "");
  EXPECT_EQ(read_text_file(file("cut.csv")), read_text_file(file("whole.csv")));
  for (const auto& [path, time] : times) EXPECT_EQ(fs::last_write_time(path), time) << path << " was run again";
}

TEST_F(Sweep, WhatChangedIsRunAgainAndNamed) {
  const std::vector<std::string> two = {"--place", "arena=AXI_SRAM:DTCM"};
  ASSERT_EQ(run_program(command("s", two)).status, 0);
  const std::string first = read_text_file(file("s.csv"));
  Finished run = run_program(command("s", two));
  EXPECT_THAT(run.out, HasSubstr("2 points, 2 known from before"));
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(read_text_file(file("s.csv")), first);

  run = run_program(command("s", {"--place", "arena=AXI_SRAM:DTCM", "--seed", "9"}));
  EXPECT_THAT(run.err, HasSubstr("2 kept results were made with another input; run again"));
  EXPECT_THAT(run.out, HasSubstr("0 known from before"));

  write_file(net_, encode(small_net(2)));
  run = run_program(command("s", two));
  EXPECT_THAT(run.err, HasSubstr("another"));
  EXPECT_THAT(run.out, HasSubstr("0 known from before"));  // cycles of another seed may be the same

  // A damaged result, and a report that is not there any more.
  const auto points = finished("s");
  write_file(points[0].string(), std::string("{\"schema\":"));
  fs::remove(fs::path(points[1]).replace_extension(".json"));
  const std::string second = read_text_file(file("s.csv"));
  run = run_program(command("s", two));
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("2 kept results were made with another state file"));
  EXPECT_EQ(read_text_file(file("s.csv")), second);
}

TEST_F(Sweep, WhatDoesNotFitIsARow) {
  // 100 x 100 x 4 bytes in, as many out: more than SRAM3 (32 KiB) holds.
  write_file(net_, encode(make_chain({{net::OpKind::conv2d, 8, 8, 100, 100, 4, 1, 1, 0, 0, -8}}, 100, 100, 4)));
  const Finished sweep = run_program(command("f", {"--place", "arena=SRAM3:AXI_SRAM"}));
  EXPECT_EQ(sweep.status, 0) << sweep.err;
  const json points = json::parse(read_text_file(file("f.json")))["points"];
  ASSERT_EQ(points.size(), 2u);
  EXPECT_THAT(points[0]["reason"], HasSubstr("arena_bytes 80000 > 32768 (SRAM3)"));
  EXPECT_FALSE(points[0].contains("inference_cycles"));
  EXPECT_EQ(points[1]["reason"], "");
  EXPECT_THAT(sweep.out, HasSubstr("does not fit"));
  // Nothing fits: the answer is no.
  EXPECT_EQ(run_program(command("g", {"--ram", "100"})).status, 1);
}

TEST_F(Sweep, WhatOneBoardLacksIsARowAndWhatAllLackIsWrongUsage) {
  const Finished sweep = run_program(command("b", {"--board", "stm32h743,stm32f767", "--place", "arena=AXI_SRAM"}));
  EXPECT_EQ(sweep.status, 0) << sweep.err;
  const json points = json::parse(read_text_file(file("b.json")))["points"];
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0]["reason"], "");
  EXPECT_THAT(points[1]["reason"], HasSubstr("no memory region AXI_SRAM on stm32f767"));
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {"--place", "arena=NOWHERE"}, {"--place", "arena"}, {"--place", "heap=DTCM"}, {"--place", "arena=flash"},
           {"--clock-mhz", "401"}, {"--clock-mhz", "nan"}, {"--clock-mhz", "fast"}, {"--caches", "maybe"}, {"--jobs", "0"}})
    EXPECT_EQ(run_program(command("w", wrong)).status, 2) << wrong[1];
  EXPECT_EQ(run_program({"sweep", std::string(MCUSIM_BINARY_DIR) + "/mcusim"}).status, 2) << "not a network";
  write_file(file("taken"), std::string("a file"));
  const Finished refused = run_program({"sweep", net_, "--state", file("taken")});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("taken"));
}

}  // namespace
}  // namespace mcusim::testing
