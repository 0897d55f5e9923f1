// SPDX-License-Identifier: MIT
// The linked image on every board: it brings up clocks and caches, runs the
// network to the host executor's bytes wherever code, arena and scratch lie, and
// ends with exit code 0.
#include <gtest/gtest.h>

#include <optional>
#include <sstream>

#include "sim/image/image.h"
#include "sim/image/tool.h"
#include "sim/run/simulation.h"
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

// What the guest changed about its own timing, in order.
class Controls : public trace::RetiredSink {
 public:
  void block_defined(const trace::BlockInfo&) override {}
  void run(const trace::BlockRun&) override {}
  void mark(const trace::Mark& mark) override { marks.push_back(mark); }
  void control(const trace::Control& control) override { controls.push_back(control); }
  void exception(const trace::Exception&) override {}

  // The value after the last such event, and whether there was one.
  std::optional<uint32_t> last(trace::Control::What what) const {
    std::optional<uint32_t> value;
    for (const auto& control : controls)
      if (control.what == what) value = control.value;
    return value;
  }

  std::vector<trace::Mark> marks;
  std::vector<trace::Control> controls;
};

TEST_F(ImageRun, StartUpSetsWaitStatesClocksAndCachesBeforeTheFirstLayer) {
  using What = trace::Control::What;
  const Board board = load_board("stm32h743");
  for (const auto& clock : board.clocks) {
    if (clock.pll_n == 0) continue;
    options_.core_hz = clock.core_hz;
    build_image(container_, board, options_, directory_.file("fw.elf"));
    Controls seen;
    Machine machine(board, {});
    machine.attach(&seen, nullptr);
    machine.load(load_program(directory_.file("fw.elf")));
    EXPECT_EQ(machine.run().reason, EndReason::exited);
    EXPECT_EQ(seen.last(What::core_hz), clock.core_hz);
    EXPECT_EQ(seen.last(What::axi_hz), clock.axi_hz);
    EXPECT_EQ(seen.last(What::flash_wait_states), clock.flash_wait_states);
    EXPECT_EQ(seen.last(What::icache_enable), 1u);
    EXPECT_EQ(seen.last(What::dcache_enable), 1u);
    // Latency before speed: at no time is the flash read faster than it can answer.
    uint32_t wait_states = 7;
    for (const auto& control : seen.controls) {
      if (control.what == What::flash_wait_states) wait_states = control.value;
      if (control.what == What::axi_hz) {
        EXPECT_GE(wait_states, board.wait_states_for("VOS0", control.value));
      }
    }
    // Every line of the D-cache is invalidated before it is switched on.
    size_t invalidated = 0;
    for (const auto& control : seen.controls) {
      if (control.what == What::dcache_enable && control.value) break;
      invalidated += control.what == What::dcache_invalidate_line;
    }
    EXPECT_EQ(invalidated, board.dcache.size_bytes / board.dcache.line_bytes);
    // Begin and end of each operator, in order.
    ASSERT_EQ(seen.marks.size(), 8u);
    for (uint32_t i = 0; i < 8; ++i) {
      EXPECT_EQ(seen.marks[i].port, i % 2 ? trace::kLayerEnd : trace::kLayerBegin);
      EXPECT_EQ(seen.marks[i].value, i / 2);
    }
  }
}

// The guest's own cycle counter and the report of the same run tell the same time.
TEST_F(ImageRun, PrintedCyclesAgreeWithTheEstimate) {
  const Board board = load_board("stm32h743");
  options_.dump_outputs = false;
  options_.print_cycles = true;
  build_image(container_, board, options_, directory_.file("fw.elf"));
  std::string console;
  SimulationOptions simulation_options;
  simulation_options.clock = board.clocks.front();
  simulation_options.machine.console = [&](std::string_view text) { console += text; };
  Simulation simulation(board, simulation_options);
  simulation.load(load_program(directory_.file("fw.elf")));
  RunResult result;
  simulation.run(&result);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.time_observed);
  const auto& layers = simulation.profile().layers();
  std::istringstream lines(console);
  std::string word;
  for (uint32_t op = 0; op < 4; ++op) {
    uint32_t index = 99;
    uint64_t cycles = 0;
    ASSERT_TRUE(lines >> word >> index >> word >> cycles) << console;
    EXPECT_EQ(index, op);
    // The counter is read inside the marks: a few instructions less.
    EXPECT_LE(cycles, layers.at(op).cycles);
    EXPECT_GE(cycles + 60, layers.at(op).cycles);
  }
}

TEST_F(ImageRun, WithoutCachesNoneIsEnabledAndTheBytesAreTheSame) {
  const Board board = load_board("stm32h743");
  options_.caches = false;
  const auto result = run(board);
  EXPECT_GT(result.result.instructions, 0u);
  Controls seen;
  Machine machine(board, {});
  machine.attach(&seen, nullptr);
  machine.load(load_program(directory_.file("fw.elf")));
  EXPECT_EQ(machine.run().reason, EndReason::exited);
  EXPECT_FALSE(seen.last(trace::Control::What::icache_enable).value_or(0));
  EXPECT_FALSE(seen.last(trace::Control::What::dcache_enable).value_or(0));
}

TEST_F(ImageRun, KernelsInItcmAndOtherPlacesGiveTheSameBytes) {
  const Board board = load_board("stm32h743");
  for (const char* place : {"code=itcm", "arena=SRAM1", "arena=DTCM", "scratch=AXI_SRAM",
                            "code=itcm,arena=SRAM2,scratch=SRAM1", "weights=AXI_SRAM", "weights=DTCM,code=itcm",
                            "weights=SRAM1,arena=SRAM1,scratch=SRAM1"}) {
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
