// SPDX-License-Identifier: MIT
// An installed tree works from wherever it is moved to, and the firmware archives
// it holds depend neither on the day nor on the folder they were built in.
#include <gtest/gtest.h>

#include <filesystem>

#include "kernels/host/int_net.h"
#include "memmap/base/file.h"
#include "sim/image/tool.h"
#include "tests/sim/small_net.h"

namespace mcusim {
namespace {

TEST(Install, TreeIsRelocatable) {
  const TemporaryDirectory directory;
  run_tool({"cmake", "--install", MCUSIM_BINARY_DIR, "--prefix", directory.file("first")},
           directory.path());
  std::filesystem::create_directory(directory.file("moved"));
  std::filesystem::rename(directory.file("first"), directory.file("moved/tree"));
  const std::string program = directory.file("moved/tree/bin/mcusim");
  EXPECT_NE(run_tool({program, "boards"}, directory.path()).find("stm32h743"), std::string::npos);

  write_file(directory.file("net.bin"), encode(testing::small_net()));
  run_tool({program, "image", "net.bin", "-o", "moved.elf"}, directory.path());
  run_tool({std::string(MCUSIM_BINARY_DIR) + "/mcusim", "image", "net.bin", "-o", "built.elf"},
           directory.path());
  EXPECT_EQ(read_file(directory.file("moved.elf")), read_file(directory.file("built.elf")));
  // The sibling program is found beside the moved one.
  EXPECT_NE(run_tool({program, "info", "net.bin"}, directory.path()).find("layer0"),
            std::string::npos);
}

TEST(Install, ArchivesAreDeterministic) {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(MCUSIM_BINARY_DIR) + "/share/mcusim/firmware")) {
    const auto bytes = read_file(entry.path().string());
    const std::string text(bytes.begin(), bytes.end());
    EXPECT_EQ(text.find(MCUSIM_SOURCE_DIR), std::string::npos) << entry.path();
    EXPECT_EQ(text.find(MCUSIM_BINARY_DIR), std::string::npos) << entry.path();
    if (entry.path().extension() != ".a") continue;
    ASSERT_EQ(text.substr(0, 8), "!<arch>\n");
    // Member header: name 16, date 12, owner 6, group 6, mode 8, size 10, end 2.
    for (size_t at = 8; at + 60 <= text.size();) {
      const bool name_table = text.substr(at, 2) == "//";
      EXPECT_EQ(text.substr(at + 16, 2), name_table ? "  " : "0 ") << entry.path() << " member date at " << at;
      const size_t size = std::stoul(text.substr(at + 48, 10));
      at += 60 + size + size % 2;
    }
  }
}

}  // namespace
}  // namespace mcusim
