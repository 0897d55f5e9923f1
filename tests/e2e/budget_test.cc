// SPDX-License-Identifier: MIT
// The papers' budget, 2,048,000 B of flash and 512,000 B of RAM, from a name or a
// float model to a run on the emulated board whose measured peaks are the plan's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace mcusim::testing {
namespace {

using ::testing::HasSubstr;

struct Peaks {
  uint64_t flash = 0, arena = 0;
};

// Runs `net`; every planned byte must be used and none beyond.
Peaks run_within_budget(const std::string& net, const TemporaryDirectory& directory) {
  const std::string report = directory.file("run.json");
  const Finished run = run_program({"run", net, "--seed", "1", "--flash", "2048000", "--ram", "512000",
                                    "-q", "--json", report});
  EXPECT_EQ(run.status, 0) << run.err;
  Peaks peaks;
  const auto root = nlohmann::json::parse(read_text_file(report));
  for (const auto& row : root.at("memory")) {
    const std::string use = row.at("use");
    if (use != "image" && use != "arena") continue;
    EXPECT_EQ(row.at("planned_bytes"), row.at("peak_bytes")) << use;
    (use == "image" ? peaks.flash : peaks.arena) = row.at("peak_bytes");
  }
  return peaks;
}

struct Row {
  const char *width, *resolution;
  uint64_t arena;  // paper_methods B.4: peak of input + output
};
class Budget : public ::testing::TestWithParam<Row> {};

TEST_P(Budget, PapersNetworkRunsInsideWithThePlannedPeaks) {
  const TemporaryDirectory directory;
  const std::string net = directory.file("net.bin");
  const Finished made =
      run_program({"zoo", "mobilenet_v1", "--width", GetParam().width, "--resolution",
                   GetParam().resolution, "--flash", "2048000", "--ram", "512000", "-o", net});
  ASSERT_EQ(made.status, 0) << made.err;
  const Peaks peaks = run_within_budget(net, directory);
  EXPECT_EQ(peaks.arena, GetParam().arena);
  EXPECT_LE(peaks.flash, 2048000u);
  EXPECT_GT(peaks.flash, read_file(net).size());
}

INSTANTIATE_TEST_SUITE_P(MobileNetV1, Budget,
                         ::testing::Values(Row{"0.75", "224", 451584}, Row{"0.5", "192", 442368}));

TEST(BudgetOfQuantize, ResultEqualsTheNaiveTwinOnTheBoardAndKeepsItsLimits) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const TemporaryDirectory directory;
  const std::string net = directory.file("net.bin"), kws = std::string(data) + "/kws/";
  const std::vector<std::string> quantize = {
      "quantize", kws + "kws_ds_cnn_float.onnx", "--calibration", kws + "kws_test_inputs.npz:x[0:20]",
      "--input-scale", "0.5847029089927673", "--input-zero-point", "83", "-o", net};
  auto limited = quantize;
  limited.insert(limited.end(), {"--flash", "52000", "--ram", "12000", "--method", "pc-thr"});
  for (const auto& [flag, value] : {std::pair{"--method", "pl-mixed"}, {"--method", "pc-icn"}}) {
    auto arguments = quantize;
    arguments.insert(arguments.end(), {flag, value, "--flash", "52000", "--ram", "12000"});
    const Finished made = run_program(arguments);
    ASSERT_EQ(made.status, 0) << made.err;
    // `run` refuses what is larger than its limits.
    const Finished run = run_program({"run", net, "--input", kws + "kws_test_inputs.npz:x[500:501]", "--verify", "--flash",
                                      "52000", "--ram", "12000"});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("equal the naive twin"));
  }
  // Threshold tables alone are larger than this flash: a refusal with both numbers.
  const Finished refused = run_program(limited);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("B available"));
}

}  // namespace
}  // namespace mcusim::testing
