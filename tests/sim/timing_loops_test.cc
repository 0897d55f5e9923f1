// SPDX-License-Identifier: MIT
// Every rule of the timing sources that states a number, as a micro-loop of
// tests/asm/loops_*.s whose steady-state cycles per iteration must equal the figure.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "memmap/base/error.h"
#include "tests/sim/assemble.h"
#include "tests/sim/synthetic.h"

namespace mcusim {
namespace {

struct Loop {
  std::string name, rule, body;
  double cycles = 0;
  uint32_t at = 0;
};

std::vector<Loop> read_loops(const std::string& path) {
  std::vector<Loop> loops;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("@ loop ")) {
      Loop loop;
      std::istringstream words(line.substr(7, line.find(':') - 7));
      words >> loop.name >> loop.cycles;
      std::string at;
      if (words >> at) loop.at = static_cast<uint32_t>(std::stoi(at.substr(3)));
      loop.rule = line.substr(line.find(':') + 2);
      loops.push_back(loop);
    } else if (line[0] != '@' && !loops.empty()) {
      loops.back().body += line + '\n';
    }
  }
  return loops;
}

// Code of every loop, found behind a marker word and its number.
std::vector<std::vector<uint8_t>> assemble_loops(const std::vector<Loop>& loops, uint32_t address) {
  constexpr uint32_t kMarker = 0xFEEDF00D;
  std::string text;
  for (size_t i = 0; i < loops.size(); ++i) {
    const bool own = loops[i].body.find("bne") != std::string::npos;
    const std::string space = loops[i].at ? fmt::format(".space {}\n", loops[i].at) : "";
    text += fmt::format(".balign 64\n.word {:#x}\n.word {}\n{}1:\n{}{}", kMarker, i, space,
                        loops[i].body, own ? "" : "  subs.w r7, r7, #1\n  bne.w 1b\n");
    text += fmt::format(".balign 8\n.word {:#x}\n.word 0xffffffff\n", kMarker);
  }
  const auto code = testing::assemble_text(text, address);
  std::vector<std::vector<uint8_t>> out(loops.size());
  const auto word = [&](size_t at) {
    uint32_t value;
    std::memcpy(&value, &code[at], 4);
    return value;
  };
  for (size_t at = 0; at + 8 <= code.size(); at += 8) {
    if (word(at) != kMarker || word(at + 4) >= loops.size()) continue;
    const size_t index = word(at + 4), begin = at + 8 + loops[index].at;
    size_t end = begin;
    for (size_t k = at + 8; word(k) != kMarker; k += 8) end = k + 8;
    out[index].assign(code.begin() + static_cast<ptrdiff_t>(begin),
                      code.begin() + static_cast<ptrdiff_t>(end));
  }
  return out;
}

// Cuts alignment padding behind the final backward branch.
void trim(std::vector<uint8_t>& code, uint32_t address) {
  const DecodedBlock block = Decoder().decode(address, code);
  for (size_t i = block.instructions.size(); i-- > 0;)
    if (block.instructions[i].is_branch && block.instructions[i].branch_target == address) {
      const Instruction& last = block.instructions[i];
      code.resize(last.address + last.bytes - address);
      return;
    }
  FAIL() << "no backward branch";
}

class Loops : public ::testing::TestWithParam<const char*> {};

TEST_P(Loops, SteadyStateCyclesEqualTheStatedFigure) {
  const auto loops =
      read_loops(std::string(MCUSIM_SOURCE_DIR "/tests/asm/loops_") + GetParam() + ".s");
  ASSERT_GT(loops.size(), 20u);
  auto codes = assemble_loops(loops, 0);
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  for (size_t i = 0; i < loops.size(); ++i) {
    const uint32_t start = 0x1000 + loops[i].at;  // ITCM
    trim(codes[i], start);
    for (const bool single : {false, true}) {
      const testing::Synthetic stream(start, codes[i], single);
      for (const bool memoise : {true, false}) {
        const auto estimator = make_estimator(board, {.memoise = memoise});
        stream.define(*estimator);
        for (int pass = 0; pass < 100; ++pass) stream.pass(*estimator);
        const uint64_t before = estimator->now();
        for (int pass = 0; pass < 200; ++pass) stream.pass(*estimator);
        const double cycles = static_cast<double>(estimator->now() - before) / 200;
        EXPECT_NEAR(cycles, loops[i].cycles, 0.021)
            << loops[i].name << (single ? ", split" : "") << (memoise ? "" : ", plain") << ": "
            << loops[i].rule << '\n' << loops[i].body;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Asm, Loops, ::testing::Values("pipeline", "memory", "fp"));

}  // namespace
}  // namespace mcusim
