// SPDX-License-Identifier: MIT
// Board files: the numbers of the reference manual, and that the reader refuses
// unknown, missing and inconsistent keys by name instead of defaulting.
#include "memmap/board.h"

#include <gmock/gmock.h>

#include <random>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

std::string board_text(const std::string& name) {
  return read_text_file(std::string(MCUSIM_SOURCE_DIR) + "/memmap/boards/" + name + ".toml");
}

std::string edited(const std::string& from, const std::string& to) {
  auto text = board_text("stm32h743");
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& toml) {
  try {
    parse_board(toml, "b.toml");
  } catch (const Error& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST(Board, Stm32h743HasTheReferenceManualsMemories) {
  const Board board = load_board("stm32h743");
  struct Row {
    const char* name;
    uint32_t base, kib;
  };
  // RM0433 table 7, KiB.
  for (const Row& row : {Row{"ITCM", 0, 64}, Row{"FLASH", 0x08000000, 2048},
                         Row{"DTCM", 0x20000000, 128}, Row{"AXI_SRAM", 0x24000000, 512},
                         Row{"SRAM1", 0x30000000, 128}, Row{"SRAM2", 0x30020000, 128},
                         Row{"SRAM3", 0x30040000, 32}, Row{"SRAM4", 0x38000000, 64}}) {
    const Region& region = board.region(row.name);
    EXPECT_EQ(region.base, row.base) << row.name;
    EXPECT_EQ(region.size_bytes, row.kib * 1024) << row.name;
  }
  EXPECT_EQ(board.icache.sets(), 256u);
  EXPECT_EQ(board.dcache.sets(), 128u);
  EXPECT_FALSE(board.region("FLASH").writable);
  EXPECT_FALSE(board.region("PERIPHERALS").executable);
}

TEST(Board, WaitStatesFollowAxiClockAndVoltage) {
  const Board board = load_board("stm32h743");
  EXPECT_EQ(board.clocks.front().core_hz, 400'000'000u);
  EXPECT_EQ(board.wait_states_for("VOS1", 200'000'000), 2u);
  EXPECT_EQ(board.wait_states_for("VOS0", 240'000'000), 4u);
  EXPECT_EQ(board.wait_states_for("VOS1", 70'000'000), 0u);
  EXPECT_EQ(board.wait_states_for("VOS1", 70'000'001), 1u);
  EXPECT_THROW(board.wait_states_for("VOS1", 240'000'000), Error);
  EXPECT_THROW(board.wait_states_for("VOS9", 1), Error);
  for (const auto& clock : board.clocks)
    if (clock.pll_m) {
      EXPECT_EQ(64'000'000 / clock.pll_m * clock.pll_n / clock.pll_p, clock.core_hz);
    }
}

TEST(Board, FindKnowsRegionEnds) {
  const Board board = load_board("stm32h743");
  EXPECT_EQ(board.find(0x2001FFFF)->name, "DTCM");
  EXPECT_EQ(board.find(0x20020000), nullptr);
  EXPECT_EQ(board.find(0x2001FFFD, 4), nullptr);
  EXPECT_EQ(board.find(0x3001FFFF)->name, "SRAM1");
  EXPECT_EQ(board.find(0x5FFFFFFC, 4)->name, "PERIPHERALS");
  EXPECT_EQ(board.find(0xFFFFFFFF, 4), nullptr);
}

TEST(Board, EveryShippedBoardLoadsAndEveryGuessHasARange) {
  for (const auto& name : board_names()) {
    const Board board = load_board(name);
    EXPECT_EQ(board.name, name);
    for (const auto& [parameter, guess] : board.timing) {
      EXPECT_FALSE(guess.source.empty()) << name << " " << parameter;
      if (guess.is_guess) {
        EXPECT_LT(guess.low, guess.high) << name << " " << parameter;
      }
    }
  }
  EXPECT_THAT(board_names(), AllOf(Contains("stm32h743"), Contains("mps2_an500")));
}

TEST(Board, RefusesBadFilesByName) {
  EXPECT_THAT(error_of(edited("initial_vtor", "intial_vtor")), HasSubstr("missing key initial_vtor"));
  EXPECT_THAT(error_of(edited("[image]", "colour = 1\n[image]")), HasSubstr("unknown key colour"));
  EXPECT_THAT(error_of(edited("cache = \"none\"", "cache = \"maybe\"")),
              AllOf(HasSubstr("maybe"), HasSubstr("write_back")));
  EXPECT_THAT(error_of(edited("base = 0x30020000", "base = 0x3001FFFF")),
              AllOf(HasSubstr("SRAM1"), HasSubstr("SRAM2"), HasSubstr("overlap")));
  EXPECT_THAT(error_of(edited("size_bytes = 0x20000000", "size_bytes = 0xF0000000")),
              HasSubstr("address space"));
  EXPECT_THAT(error_of(edited("flash_wait_states = 2", "flash_wait_states = 1")),
              HasSubstr("needs 2"));
  EXPECT_THAT(error_of(edited("linefill_buffers", "linefil_buffers")),
              HasSubstr("missing key linefill_buffers"));
  EXPECT_THAT(error_of(edited("low = 2.5", "low = 4.5")), HasSubstr("outside its own range"));
  EXPECT_THAT(error_of(edited("low = 2.5, ", "")), HasSubstr("missing key low"));
  EXPECT_THAT(error_of(edited("arena = \"AXI_SRAM\"", "arena = \"FLASH\"")), HasSubstr("FLASH"));
  EXPECT_THAT(error_of(edited("ways = 2", "ways = 0")), HasSubstr("0 ways"));
  EXPECT_THAT(error_of("name = "), HasSubstr("line 1"));
  try {
    load_board("stm32h999");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("stm32h999"), HasSubstr("stm32h743")));
  }
}

TEST(Board, DamagedFilesAreRefusedOrConsistent) {
  std::mt19937 random(1);
  const auto whole = board_text("stm32h743");
  int accepted = 0;
  for (int round = 0; round < 600; ++round) {
    auto text = whole;
    for (int edits = 1 + static_cast<int>(random() % 3); edits-- > 0;) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, 1 + random() % 20); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 40)); break;
      }
    }
    try {
      const Board board = parse_board(text, "b.toml");
      ++accepted;
      EXPECT_GT(board.dcache.sets(), 0u);
      for (const auto& region : board.regions) EXPECT_EQ(board.find(region.base), &region);
      for (const auto& name : timing_names()) EXPECT_NO_THROW(board.timing_value(name));
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("b.toml"));
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(accepted, 0);  // some damage is in comments and numbers
  EXPECT_LT(accepted, 600);
}

}  // namespace
}  // namespace mcusim
