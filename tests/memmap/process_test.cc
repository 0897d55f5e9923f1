// SPDX-License-Identifier: MIT
#include "memmap/base/process.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim {
namespace {

using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  Command shell(const std::string& script, const std::string& name = "log") const {
    return {{"/bin/sh", "-c", script}, folder_.file(name), folder_.path()};
  }
  TemporaryDirectory folder_;
};

TEST_F(ProcessTest, StatusIsTheExitCodeOrTheSignal) {
  EXPECT_EQ(Child(shell("exit 0")).wait(), 0);
  EXPECT_EQ(Child(shell("exit 7")).wait(), 7);
  EXPECT_EQ(Child(shell("kill -9 $$")).wait(), 128 + 9);
}

TEST_F(ProcessTest, AMissingProgramIsNamed) {
  EXPECT_THAT([&] { Child({{"no-such-program"}, folder_.file("log"), ""}); },
              testing::ThrowsMessage<Error>(HasSubstr("no-such-program: cannot run")));
}

TEST_F(ProcessTest, AFailureTellsWhatWasPrinted) {
  EXPECT_THAT([&] { run_tool({"/bin/sh", "-c", "echo one; echo two >&2; exit 3"}, folder_.path()); },
              testing::ThrowsMessage<Error>(testing::StrEq("sh: failed: one; two")));
  EXPECT_EQ(run_tool({"/bin/sh", "-c", "pwd"}, folder_.path()),
            std::filesystem::canonical(folder_.path()).string() + "\n");
}

// Each waits for the other's file, so they end only when both run at once.
TEST_F(ProcessTest, CommandsRunSideBySide) {
  const auto meet = [&](const char* mine, const char* other) {
    return shell(fmt::format("touch {}; while [ ! -e {} ]; do sleep 0.01; done", mine, other), mine + std::string("_log"));
  };
  std::vector<size_t> ended;
  run_commands({meet("a", "b"), meet("b", "a")}, 2, [&](size_t index, int status) {
    EXPECT_EQ(status, 0);
    ended.push_back(index);
  });
  EXPECT_THAT(ended, testing::UnorderedElementsAre(0u, 1u));
}

TEST_F(ProcessTest, OneAtATimeKeepsTheOrder) {
  std::vector<Command> commands;
  for (int i = 0; i < 5; ++i) commands.push_back(shell(fmt::format("echo {} >> order; exit {}", i, i)));
  std::vector<int> statuses;
  run_commands(commands, 1, [&](size_t index, int status) {
    EXPECT_EQ(index, statuses.size());
    statuses.push_back(status);
  });
  EXPECT_THAT(statuses, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(read_text_file(folder_.file("order")), "0\n1\n2\n3\n4\n");
}

TEST_F(ProcessTest, AThrowingCallbackEndsTheOthersAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(run_commands({shell("exit 1", "log1"), shell("exec sleep 60", "log2")}, 2,
                            [](size_t, int) { throw Error("stop"); }),
               Error);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(ProcessText, FirstAndLastLines) {
  EXPECT_EQ(first_lines("a\nb\nc\n", 2), "a; b");
  EXPECT_EQ(first_lines("", 2), "");
  EXPECT_EQ(last_line("a\nb\n\n"), "b");
  EXPECT_EQ(last_line("only"), "only");
  EXPECT_EQ(last_line("\n"), "");
}

}  // namespace
}  // namespace mcusim
