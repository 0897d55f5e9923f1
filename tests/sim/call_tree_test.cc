// SPDX-License-Identifier: MIT
// The shadow stack on invented streams: calls, returns, tail calls, recursion,
// interrupts, and a stack that is never unwound.
#include "sim/run/call_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "traces/call_profile.h"

namespace mcusim {
namespace {

enum class Ends { falls_through, jump, call, leaves };

class CallTreeTest : public ::testing::Test {
 protected:
  // Functions of 0x100 bytes from 0x100 on: f1, f2, ...
  CallTreeTest()
      : tree_([](uint32_t address) -> std::pair<std::string, uint32_t> {
          return {"f" + std::to_string(address / 0x100), address / 0x100 * 0x100};
        }) {}

  void run(uint32_t address, Ends ends, uint64_t cycles = 1) {
    auto& block = blocks_[{address, ends}];
    if (!block) {
      block = std::make_unique<DecodedBlock>();
      block->id = static_cast<uint32_t>(blocks_.size() - 1);
      block->address = address;
      Instruction last;
      last.address = address + 4;
      last.bytes = 4;
      last.is_branch = ends != Ends::falls_through;
      last.is_call = ends == Ends::call;
      last.is_return = ends == Ends::leaves;
      block->instructions = {Instruction{}, last};
    }
    const InstructionCycles parts[] = {{0, Cause::issued, static_cast<uint32_t>(cycles)}};
    const trace::BlockRun block_run{.block = block->id, .instructions = 2};
    tree_.timed({block.get(), &block_run, now_, cycles, parts});
    now_ += cycles;
  }
  void exception(bool entry) {
    trace::Exception event;
    event.entry = entry;
    event.number = 15;
    tree_.exception(event, now_, 12);
    now_ += 12;
  }
  std::string folded() { return trace::write_folded(tree_.finish(now_)); }

  CallTree tree_;
  std::map<std::pair<uint32_t, Ends>, std::unique_ptr<DecodedBlock>> blocks_;
  uint64_t now_ = 0;
};

TEST_F(CallTreeTest, CallAndReturn) {
  run(0x100, Ends::call, 1);
  run(0x200, Ends::leaves, 10);
  run(0x108, Ends::call, 2);
  run(0x300, Ends::leaves, 20);
  run(0x110, Ends::jump, 3);
  EXPECT_EQ(folded(), "f1 6\nf1;f2 10\nf1;f3 20\n");
}

TEST_F(CallTreeTest, TailCallReplacesItsFrameAndReturnsToTheCaller) {
  run(0x100, Ends::call, 1);
  run(0x200, Ends::jump, 10);   // f2 jumps to f3
  run(0x300, Ends::leaves, 20); // f3 returns to f1
  run(0x108, Ends::jump, 2);
  EXPECT_EQ(folded(), "f1 3\nf1;f2 10\nf1;f3 20\n");
}

TEST_F(CallTreeTest, RecursionNestsAndUnwinds) {
  run(0x100, Ends::call);
  run(0x100, Ends::call);
  run(0x100, Ends::jump, 2);
  run(0x180, Ends::leaves, 3);
  run(0x108, Ends::leaves);
  run(0x108, Ends::jump);
  EXPECT_EQ(folded(), "f1 2\nf1;f1 2\nf1;f1;f1 5\n");
}

TEST_F(CallTreeTest, LoopsStayInTheirFrame) {
  for (int i = 0; i < 5; ++i) run(0x140, Ends::jump);
  EXPECT_EQ(folded(), "f1 5\n");
}

TEST_F(CallTreeTest, ReturnOverSeveralFramesPopsThemAll) {
  run(0x100, Ends::call);
  run(0x200, Ends::call);
  run(0x300, Ends::leaves);
  run(0x108, Ends::jump, 7);    // longjmp to f1
  EXPECT_EQ(folded(), "f1 8\nf1;f2 1\nf1;f2;f3 1\n");
}

TEST_F(CallTreeTest, InterruptBetweenCallAndCalleeDisturbsNeither) {
  run(0x100, Ends::call, 1);
  exception(true);
  run(0x500, Ends::leaves, 30);
  exception(false);
  run(0x200, Ends::leaves, 10);
  run(0x108, Ends::jump, 2);
  // Entry (12) is charged to what was interrupted, exit (12) to the handler.
  EXPECT_EQ(folded(), "f1 15\nf1;f5 42\nf1;f2 10\n");
}

TEST_F(CallTreeTest, EndlessRecursionStaysBoundedAndKeepsEveryCycle) {
  for (int i = 0; i < 5000; ++i) run(0x100, Ends::call);
  const trace::CallProfile profile = tree_.finish(now_);
  EXPECT_LE(profile.nodes.size(), CallTree::kMaxDepth + 1);
  EXPECT_EQ(trace::inclusive_cycles(profile)[0], 5000u);
}

}  // namespace
}  // namespace mcusim
