// SPDX-License-Identifier: MIT
// The commands of docs/quantisation.md run as written, on the keyword network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <regex>

#include "memmap/base/file.h"
#include "memmap/base/process.h"

namespace mcusim::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// The lines of the page's first block of commands that begin with "mcusim".
std::string commands_of(const std::string& page) {
  const size_t begin = page.find("```\n") + 4;
  std::string commands, block = page.substr(begin, page.find("```", begin) - begin);
  bool taken = false;
  for (size_t at = 0; at < block.size();) {
    const size_t end = block.find('\n', at);
    const std::string line = block.substr(at, end - at);
    taken = taken || line.starts_with("mcusim");
    if (taken) commands += line + "\n";
    taken = taken && line.ends_with("\\");
    at = end + 1;
  }
  return commands;
}

TEST(Tutorial, CommandsRunAsWritten) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const TemporaryDirectory directory;
  // What the page exports from PyTorch, and the user's inputs.
  fs::copy_file(std::string(data) + "/kws/kws_ds_cnn_float.onnx", directory.file("m.onnx"));
  fs::copy_file(std::string(data) + "/kws/kws_test_inputs.npz", directory.file("x.npz"));
  const std::string page = read_text_file(std::string(MCUSIM_SOURCE_DIR) + "/docs/quantisation.md");
  const std::string commands = commands_of(page);
  ASSERT_GE(std::count(commands.begin(), commands.end(), '\n'), 5) << commands;
  const std::string script = "set -e\nPATH=" MCUSIM_BINARY_DIR ":$PATH\n" + commands;
  const std::string out = run_tool({"sh", "-c", script}, directory.path());
  // The report, and an accuracy within the points that the page promises.
  for (const char* part : {"image_bytes (stm32h743)", "against fake quantisation", "verify"})
    EXPECT_THAT(out, HasSubstr(part));
  std::smatch hits;
  ASSERT_TRUE(std::regex_search(out, hits, std::regex("top-1 ([0-9]+)/900"))) << out;
  EXPECT_GE(std::stoi(hits[1]), 806);  // 1.5 points below the float network's 819
}

}  // namespace
}  // namespace mcusim::testing
