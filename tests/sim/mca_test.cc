// SPDX-License-Identifier: MIT
// llvm-mca as a diagnostic: on loops of our kernels' kind the estimate is not below its
// resource bound (Block RThroughput), except where a sourced rule of the table says so.
// Closeness is not asked: mca models neither fetch nor early ALUs as measured.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "memmap/base/error.h"
#include "tests/sim/assemble.h"
#include "tests/sim/synthetic.h"

namespace mcusim {
namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return text;
  char buffer[4096];
  while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, count);
  pclose(pipe);
  return text;
}

double mca_bound(const std::string& body) {
  const auto path = std::filesystem::temp_directory_path() / ("mcusim_mca_" + std::to_string(getpid()) + ".s");
  std::ofstream(path) << body;
  const std::string text = output_of("llvm-mca -mtriple=thumbv7em-none-eabihf -mcpu=cortex-m7 "
                                     "-mattr=+fp-armv8d16 " + path.string() + " 2>&1");
  std::filesystem::remove(path);
  const size_t at = text.find("Block RThroughput:");
  if (at == text.npos) throw Error("llvm-mca: {}", text);
  return std::atof(text.c_str() + at + 18);
}

TEST(Mca, EstimateIsNotBelowTheResourceBound) {
  if (output_of("llvm-mca --version 2>/dev/null").empty()) GTEST_SKIP() << "no llvm-mca here";
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  std::ifstream in(MCUSIM_SOURCE_DIR "/tests/asm/hot_loops.s");
  std::vector<std::pair<std::string, std::string>> loops;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("@ loop ")) loops.emplace_back(line.substr(7, line.find(':') - 7), "");
    else if (line[0] != '@' && !loops.empty()) loops.back().second += line + '\n';
  }
  ASSERT_GE(loops.size(), 9u);
  for (const auto& [name, body] : loops) {
    const auto code = testing::assemble_text("1:\n" + body + "subs.w r7, r7, #1\nbne.w 1b", 0x1000);
    const testing::Synthetic stream(0x1000, code);
    const auto estimator = make_estimator(board);
    stream.define(*estimator);
    for (int pass = 0; pass < 100; ++pass) stream.pass(*estimator);
    const uint64_t before = estimator->now();
    for (int pass = 0; pass < 200; ++pass) stream.pass(*estimator);
    const double cycles = static_cast<double>(estimator->now() - before) / 200;
    const double bound = mca_bound(body);
    RecordProperty(name, fmt::format("{:.2f} cycles, bound {:.2f}, ratio {:.2f}", cycles, bound, cycles / bound));
    std::printf("%-18s %6.2f cycles, bound %6.2f, ratio %.2f\n", name.c_str(), cycles, bound, cycles / bound);
    EXPECT_GE(cycles, bound) << name;
  }
}

}  // namespace
}  // namespace mcusim
