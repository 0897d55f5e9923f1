// SPDX-License-Identifier: MIT
// `mcusim paper`: figures that other programs give too, and a run that goes on.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace mcusim::testing {
namespace {

using ::testing::HasSubstr;

class PaperCommand : public ::testing::Test {
 protected:
  Finished make(const std::string& folder) const {
    return run_program({"paper", "rusci2019", "-o", directory_.file(folder), "--networks", "128_0.25"});
  }
  std::string text(const std::string& folder, const std::string& name) const {
    return read_text_file(directory_.file(folder) + "/" + name);
  }
  const TemporaryDirectory directory_;
};

TEST_F(PaperCommand, UnknownNamesAreWrongUsage) {
  const Finished run = run_program({"paper", "rusci2019", "-o", directory_.file("p"), "--networks", "77_3"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("no network 77_3; known: 224_1.0"));
  EXPECT_THAT(run_program({"paper", "rusci2020", "-o", directory_.file("p"), "--networks", "128_0.25"}).err,
              HasSubstr("no network 128_0.25; known: mobilenet_v1_224_1.0"));
  EXPECT_EQ(run_program({"paper", "nobody1999", "-o", directory_.file("p")}).status, 2);
}

TEST_F(PaperCommand, PlannedColumnsAreThePublishedOnesAndRunsAreThoseOfRun) {
  const Finished first = make("p");
  ASSERT_EQ(first.status, 0) << first.err;
  const std::string methods = text("p", "rusci2019_methods.csv");
  // The papers' sizes of 224_1.0 by method, MiB.
  for (const char* line : {"PL+FB,8 bits,4.060", "PL+FB,4 bits,2.053", "PL+ICN,4 bits,2.105", "PC+ICN,4 bits,2.118"})
    EXPECT_THAT(methods, HasSubstr(line));
  const std::string table = text("p", "rusci2019_2mb_512kb.csv");
  EXPECT_THAT(table, HasSubstr("128_0.25,PL,13.6,-,-,479104,98304,98304,"));
  EXPECT_THAT(table, HasSubstr("128_0.25,PC+ICN,13.6,-,-,498180,98304,98304,"));

  // The cycles are those of `mcusim run` on a network made by hand.
  const std::string net = directory_.file("n.bin"), json = directory_.file("n.json");
  ASSERT_EQ(run_program({"zoo", "mobilenet_v1", "--width", "0.25", "--resolution", "128", "--mode", "pc", "-o", net}).status, 0);
  ASSERT_EQ(run_program({"run", net, "--seed", "1", "--quiet", "--json", json}).status, 0);
  const uint64_t cycles = nlohmann::json::parse(read_text_file(json))["totals"]["cycles"];
  EXPECT_THAT(table, HasSubstr(fmt::format(",{:.2f},{:.2f},{:.2f}\n", static_cast<double>(cycles) / 1e6,
                                           static_cast<double>(cycles) / 4e5, 4e8 / static_cast<double>(cycles))));

  // Killed in the middle: one network is missing and half a file lies about.
  const auto before = text("p", "rusci2019.md");
  std::filesystem::remove(directory_.file("p") + "/work/mobilenet_v1_128_0.25_pc_2048000_512000.json");
  std::filesystem::remove(directory_.file("p") + "/rusci2019.md");
  ASSERT_EQ(make("p").status, 0);
  EXPECT_EQ(text("p", "rusci2019.md"), before);
}

}  // namespace
}  // namespace mcusim::testing
