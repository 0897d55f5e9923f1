// SPDX-License-Identifier: MIT
// The linked image on every board: it brings up clocks and caches, runs the
// network to the host executor's bytes wherever code, arena and scratch lie, and
// ends with exit code 0.
#include <gtest/gtest.h>

#include "sim/image/image.h"
#include "sim/image/tool.h"
#include "tests/e2e/firmware.h"
#include "tests/sim/small_net.h"

namespace mcusim {
namespace {

class ImageRun : public ::testing::Test {
 protected:
  ImageRun() {
    options_.dump_outputs = true;
    options_.input = testing::random_input(8 * 8 * 3);
  }

  testing::MachineRun run(const Board& board) {
    build_image(container_, board, options_, directory_.file("fw.elf"));
    auto result = testing::run_machine(board, directory_.file("fw.elf"));
    EXPECT_EQ(result.result.reason, EndReason::exited) << board.name << result.result.message;
    EXPECT_EQ(result.result.exit_code, 0) << board.name;
    EXPECT_EQ(result.console, testing::host_dump(container_, options_.input)) << board.name;
    return result;
  }

  const TemporaryDirectory directory_;
  const std::vector<uint8_t> container_ = encode(testing::small_net());
  ImageOptions options_;
};

TEST_F(ImageRun, EveryBoardRunsItAtItsClock) {
  for (const auto& name : board_names()) {
    const Board board = load_board(name);
    const auto result = run(board);
    if (board.clocks.front().pll_n) {
      EXPECT_EQ(result.core_hz, board.clocks.front().core_hz) << name;
    }
  }
}

TEST_F(ImageRun, EveryClockPresetOfTheH743IsReached) {
  const Board board = load_board("stm32h743");
  for (const auto& clock : board.clocks) {
    options_.core_hz = clock.core_hz;
    EXPECT_EQ(run(board).core_hz, clock.core_hz);
  }
}

TEST_F(ImageRun, KernelsInItcmAndOtherPlacesGiveTheSameBytes) {
  const Board board = load_board("stm32h743");
  for (const char* place : {"code=itcm", "arena=SRAM1", "arena=DTCM", "scratch=AXI_SRAM",
                            "code=itcm,arena=SRAM2,scratch=SRAM1"}) {
    options_ = {};
    options_.dump_outputs = true;
    options_.input = testing::random_input(8 * 8 * 3);
    apply_placement(board, place, options_);
    SCOPED_TRACE(place);
    run(board);
  }
}

}  // namespace
}  // namespace mcusim
