// SPDX-License-Identifier: MIT
// The benchmark programs on a few rows: time is cycles / clock and nothing else, MACs
// are those of the shape, and two runs give the same bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "bench/support/kernel_cases.h"
#include "tests/e2e/program.h"

namespace mcusim {
namespace {

using ::testing::HasSubstr;
using nlohmann::json;
using testing::run_program;

std::string output_of(const std::string& program, std::vector<std::string> arguments) {
  const auto run = run_program(std::move(arguments), program);
  EXPECT_EQ(run.status, 0) << run.err;
  return run.out;
}

void expect_consistent(const json& row, double core_hz) {
  SCOPED_TRACE(row.dump());
  ASSERT_FALSE(row.contains("error_occurred"));
  const double cycles = row["cycles"];
  EXPECT_GT(cycles, 0);
  EXPECT_EQ(row["iterations"], 1);
  EXPECT_EQ(row["time_unit"], "us");
  EXPECT_DOUBLE_EQ(row["real_time"].get<double>(), cycles / core_hz * 1e6);
  EXPECT_EQ(row["cpu_time"], row["real_time"]) << "host time";
  // Two issue slots.
  EXPECT_LE(row["instructions"].get<double>(), 2 * cycles);
  double shares = 0;
  for (const auto& [name, value] : row.items())
    if (name.starts_with("share_")) shares += value.get<double>();
  EXPECT_NEAR(shares, 1, 1e-9) << "law 1";
  if (!row.contains("macs")) return;
  const double macs = row["macs"];
  EXPECT_DOUBLE_EQ(row["mac_per_cycle"].get<double>(), macs / cycles);
  EXPECT_DOUBLE_EQ(row["instr_per_mac"].get<double>(), row["instructions"].get<double>() / macs);
}

TEST(KernelBench, CoversEveryRowOnceWithAtLeastOneShape) {
  std::set<std::string> names, rows;
  for (const auto& which : bench::kernel_cases()) {
    EXPECT_TRUE(names.insert(which.name()).second) << which.name();
    rows.insert(which.row());
  }
  EXPECT_EQ(rows.size(), row_count());
}

TEST(KernelBench, EveryCaseIsANetworkTheFormatAccepts) {
  for (const auto& which : bench::kernel_cases()) {
    if (which.key.family == net::Family::fully_connected) continue;   // a megabyte each, made like pointwise
    const IntNet net = bench::make_net(which);
    const IntOp& op = net.ops.at(0);
    if (which.key.weight_bits) {
      // Thresholds have no factors to share; int8 weights under tflite share their zero point.
      const bool thresholds = op.contract == net::Contract::thresholds;
      EXPECT_EQ((thresholds ? op.weight_zero_points.size() : op.mult.size()) > 1, which.per_channel) << net.name;
    }
    EXPECT_NO_THROW(encode(net)) << net.name;
  }
}

TEST(KernelBench, TimeIsCyclesOverClockAndMacsAreThoseOfTheShape) {
  const std::vector<std::string> arguments = {
      "--benchmark_filter=^(fully_connected_a8w2y8_icn|depthwise_a8w8y8_tflite/k3s1|add_a8w0y8_icn|"
      "max_pool_a2|conv_a8w8y8_icn/k3s2.*/pl)",
      "--benchmark_format=json"};
  const std::string text = output_of("kernel_bench", arguments);
  EXPECT_EQ(text, output_of("kernel_bench", arguments)) << "not deterministic";
  const json report = json::parse(text);
  EXPECT_EQ(report["context"]["board"], "stm32h743");
  std::map<std::string, double> macs;
  for (const auto& row : report["benchmarks"]) {
    expect_consistent(row, 400e6);
    EXPECT_GT(row["outputs"], 0);
    macs[row["name"]] = row.value("macs", 0.0);
  }
  const std::map<std::string, double> expected = {
      {"add_a8w0y8_icn/k1s1_28x28x64_64", 0},
      {"conv_a8w8y8_icn/k3s2_96x96x3_32/pl", 48.0 * 48 * 32 * 3 * 3 * 3},
      {"depthwise_a8w8y8_tflite/k3s1_28x28x64_64/pc", 28.0 * 28 * 64 * 3 * 3},
      {"depthwise_a8w8y8_tflite/k3s1_28x28x64_64/pl", 28.0 * 28 * 64 * 3 * 3},
      {"fully_connected_a8w2y8_icn/k1s1_1x1x1024_1000/pc", 1024.0 * 1000},
      {"fully_connected_a8w2y8_icn/k1s1_1x1x1024_1000/pl", 1024.0 * 1000},
      {"max_pool_a2w0y2_none/k2s2_28x28x64_64", 0}};
  EXPECT_EQ(macs, expected);
}

TEST(KernelBench, BoardClockAndPlacementAreTaken) {
  const auto cycles = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--benchmark_filter=^fully_connected_a8w2y8_icn/.*/pc", "--benchmark_format=json"});
    const json row = json::parse(output_of("kernel_bench", arguments))["benchmarks"][0];
    return std::pair(row["cycles"].get<double>(), row["real_time"].get<double>());
  };
  const auto fast = cycles({}), slow = cycles({"--clock-mhz=64"});
  EXPECT_NE(slow.first, fast.first) << "flash answers after another number of core cycles";
  EXPECT_DOUBLE_EQ(slow.second, slow.first / 64);
  EXPECT_EQ(run_program({"--board=nowhere"}, "kernel_bench").status, 1);
  EXPECT_EQ(run_program({"--clock-mhz=x"}, "kernel_bench").status, 2);
  EXPECT_EQ(run_program({"--place=arena"}, "kernel_bench").status, 2);
}

TEST(KernelBench, MarkdownPairsPerChannelWithPerLayer) {
  const std::string text =
      output_of("kernel_bench", {"--markdown", "--benchmark_filter=^fully_connected_a8w8y8_icn"});
  EXPECT_THAT(text, HasSubstr("| layer | in/w/out |"));
  EXPECT_THAT(text, HasSubstr("| fully_connected 1x1x1024 to 1000 | 8/8/8 | icn |"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("| - |")));
}

// The rows of a network are those of one run of it.
TEST(NetworkBench, LayersAndNetworkComeFromOneRun) {
  const json report = json::parse(output_of(
      "network_bench", {"--benchmark_filter=(network|layer)/mnasnet_a1_96_0.35", "--benchmark_format=json"}));
  double layers = 0, layer_macs = 0, total = 0, macs = 0;
  for (const auto& row : report["benchmarks"]) {
    expect_consistent(row, 400e6);
    const bool is_layer = row["name"].get<std::string>().starts_with("layer/");
    (is_layer ? layers : total) += row["cycles"].get<double>();
    (is_layer ? layer_macs : macs) += row.value("macs", 0.0);
  }
  EXPECT_EQ(layer_macs, macs);
  EXPECT_LT(layers, total);
  EXPECT_GT(layers, 0.95 * total) << "start-up and the executor";
}

}  // namespace
}  // namespace mcusim
