// SPDX-License-Identifier: MIT
// Laws of the estimator on random streams: conservation, and equality of memoised,
// plain and differently cut streams, with caches, stores and mispredictions in play.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "memmap/base/error.h"
#include "tests/sim/assemble.h"
#include "tests/sim/synthetic.h"

namespace mcusim {
namespace {

using What = trace::Control::What;

// A program as instructions with a random walk over it; each step knows its accesses.
struct Walk {
  static constexpr uint32_t kBase = 0x08001000;
  std::vector<uint8_t> code;
  DecodedBlock all;
  struct Step {
    size_t index;
    std::vector<trace::Access> accesses;  // instruction field unset
  };
  std::vector<Step> steps;

  Walk(unsigned seed, size_t length, size_t passes) {
    std::mt19937 random(seed);
    const auto pick = [&](size_t n) { return random() % n; };
    static const char* const kPool[] = {"add.w r0, r1, #1",
                                        "adds r0, r1",
                                        "and.w r2, r0, r3",
                                        "eor.w r4, r2, r0, lsl #3",
                                        "lsl.w r5, r4, #2",
                                        "movw r6, #77",
                                        "uxtb16 r2, r4",
                                        "rev r3, r2",
                                        "bfi r4, r2, #3, #4",
                                        "qadd r5, r4, r2",
                                        "smlad r0, r1, r2, r0",
                                        "mul r3, r0, r2",
                                        "smlal r0, r3, r1, r2",
                                        "udiv r5, r3, r2",
                                        "nop",
                                        "nop.w",
                                        "ldr r0, [r1]",
                                        "ldr.w r2, [r3, #4]",
                                        "ldr.w r4, [r5]",
                                        "ldrb r2, [r3]",
                                        "ldrh.w r5, [r6]",
                                        "ldr r1, [r2], #4",
                                        "str r0, [r1]",
                                        "strb.w r2, [r3]",
                                        "strh r4, [r5]",
                                        "str.w r6, [r1]",
                                        "ldrd r0, r1, [r2]",
                                        "strd r0, r1, [r2]",
                                        "ldm r2!, {r0, r1, r3}",
                                        "stm r2!, {r0, r1, r3, r4}",
                                        "push {r4, r5, lr}",
                                        "vldr s0, [r1]",
                                        "vfma.f32 s1, s0, s2",
                                        "vadd.f32 s2, s1, s0",
                                        "vmla.f32 s3, s0, s1",
                                        "vstr s3, [r1]",
                                        "vmov r0, s2",
                                        "vdiv.f32 s4, s1, s0",
                                        "vldr d4, [r2]",
                                        "vmul.f64 d5, d4, d4",
                                        "it eq\nldreq r0, [r1]",
                                        "cmp r0, r1",
                                        "dmb",
                                        "mrs r0, primask",
                                        "cbz r0, .+8",
                                        "beq.w .+12",
                                        "bne .+6",
                                        "b.w .+8",
                                        "bl .+10",
                                        "bx lr"};
    std::string text;
    for (size_t i = 0; i < length; ++i) text += std::string(kPool[pick(std::size(kPool))]) + '\n';
    for (int i = 0; i < 8; ++i) text += "nop.w\n";  // targets of the last forward branches
    text += "b.w .\n";
    code = testing::assemble_text(text, kBase);
    all = Decoder().decode(kBase, code);

    std::map<uint32_t, size_t> at;
    for (size_t i = 0; i < all.instructions.size(); ++i) at[all.instructions[i].address] = i;
    const uint32_t areas[] = {0x20000000, 0x20000100, 0x24000000,
                              0x24004000, 0x08010000, 0x30000000};
    for (size_t pass = 0; pass < passes; ++pass) {
      for (size_t i = 0; i < all.instructions.size();) {
        const Instruction& instruction = all.instructions[i];
        Step step{i, {}};
        uint32_t address = areas[pick(6)] + static_cast<uint32_t>(pick(64)) * 4;
        if (pick(12) == 0) address += static_cast<uint32_t>(pick(0x4000)) & ~3u;
        if (!instruction.needs_alignment && instruction.access_bytes < 4)
          address += static_cast<uint32_t>(pick(4));
        if (!instruction.needs_alignment && instruction.access_bytes == 2) address &= ~1u;
        if (!instruction.needs_alignment && instruction.access_bytes == 4 && pick(20) == 0)
          address += 1;
        if (instruction.is_store && address >= 0x08000000 && address < 0x09000000)
          address += 0x1C000000;
        const bool skipped = instruction.in_it_block && pick(2);
        for (int w = 0; w < instruction.memory_words && !skipped; ++w)
          step.accesses.push_back({address + static_cast<uint32_t>(w) * instruction.access_bytes,
                                   instruction.access_bytes, instruction.is_store, 0});
        steps.push_back(step);
        size_t next = i + 1;
        if (instruction.is_branch) {
          const bool conditional = instruction.condition < 14 || instruction.mnemonic[0] == 'c';
          const bool taken = !conditional || (conditional && pick(3) == 0);
          uint32_t target = instruction.is_indirect
                                ? instruction.address + 4 + 4 * static_cast<uint32_t>(pick(2))
                                : instruction.branch_target;
          while (taken && !at.contains(target) && target < kBase + code.size()) target += 2;
          if (taken && at.contains(target) && target > instruction.address) next = at[target];
          else if (taken) next = all.instructions.size();  // around again
        }
        i = next;
      }
    }
  }
};

// The instructions whose cycles differ, for a reader of a failure.
template <typename Outcome>
std::string difference(const Walk& walk, const Outcome& a, const Outcome& b) {
  std::string text;
  for (const Instruction& i : walk.all.instructions) {
    const auto left = a.by_address.find(i.address), right = b.by_address.find(i.address);
    for (size_t c = 0; c < kCauseCount; ++c) {
      const uint64_t l = left == a.by_address.end() ? 0 : left->second[c];
      const uint64_t r = right == b.by_address.end() ? 0 : right->second[c];
      if (l != r)
        text += fmt::format("{:#x} {}: {} {} against {}\n", i.address, i.text,
                            cause_name(static_cast<Cause>(c)), l, r);
    }
  }
  return text;
}

// How long may the block be that starts with this step? At least 1.
using Cut = std::function<size_t()>;

struct Outcome {
  uint64_t cycles = 0;
  CauseCycles totals{};
  std::map<uint32_t, CauseCycles> by_address;  // causes per instruction
  bool operator==(const Outcome&) const = default;
};

class Books : public TimedSink {
 public:
  void timed(const TimedRun& run) override {
    uint64_t sum = 0;
    for (const InstructionCycles& part : run.parts) {
      sum += part.cycles;
      ASSERT_LT(part.instruction, run.run->instructions);
      outcome.totals[static_cast<size_t>(part.cause)] += part.cycles;
      outcome.by_address[run.block->instructions[part.instruction].address]
                        [static_cast<size_t>(part.cause)] += part.cycles;
    }
    EXPECT_EQ(sum, run.cycles);
    EXPECT_EQ(run.start_cycle, outcome.cycles);
    outcome.cycles += run.cycles;
  }
  void mark(const trace::Mark&, uint64_t) override {}
  void exception(const trace::Exception&, uint64_t, uint64_t cycles) override {
    outcome.cycles += cycles;
  }
  void slept(uint64_t, uint64_t cycles) override { outcome.cycles += cycles; }
  Outcome outcome;
};

Outcome estimate(const Walk& walk, bool memoise, const Cut& cut, bool caches = true) {
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  const auto estimator = make_estimator(board, {.memoise = memoise});
  Books books;
  estimator->attach(&books);
  estimator->control({What::core_hz, 400'000'000});
  estimator->control({What::axi_hz, 200'000'000});
  estimator->control({What::flash_wait_states, 2});
  if (caches) {
    estimator->control({What::icache_enable, 1});
    estimator->control({What::dcache_enable, 1});
  }
  std::map<std::pair<size_t, size_t>, uint32_t> ids;
  const auto& instructions = walk.all.instructions;
  for (size_t s = 0; s < walk.steps.size();) {
    const size_t first = walk.steps[s].index, limit = cut();
    size_t count = 1;
    // A block ends with a branch, or where control goes elsewhere.
    while (count < limit && s + count < walk.steps.size() &&
           !instructions[first + count - 1].is_branch &&
           walk.steps[s + count].index == first + count)
      ++count;
    const auto [it, is_new] =
        ids.emplace(std::pair(first, count), static_cast<uint32_t>(ids.size()));
    if (is_new) {
      const uint32_t begin = instructions[first].address - Walk::kBase;
      const Instruction& last = instructions[first + count - 1];
      const uint32_t end = last.address + last.bytes - Walk::kBase;
      const bool in_it = instructions[first].in_it_block;  // one-instruction IT blocks: IT EQ
      estimator->block_defined({it->second,
                                instructions[first].address,
                                static_cast<uint8_t>(in_it ? 0x08 : 0),
                                {walk.code.begin() + begin, walk.code.begin() + end}});
    }
    std::vector<trace::Access> accesses;
    for (size_t k = 0; k < count; ++k)
      for (trace::Access access : walk.steps[s + k].accesses) {
        access.instruction = static_cast<uint16_t>(k);
        accesses.push_back(access);
      }
    estimator->run({it->second, static_cast<uint32_t>(count), accesses, 0});
    s += count;
  }
  EXPECT_EQ(estimator->now(), books.outcome.cycles);
  EXPECT_EQ(estimator->totals(), books.outcome.totals);  // law 1: both ledgers agree
  return books.outcome;
}

const Cut kWhole = [] { return size_t{500}; };
const Cut kSingle = [] { return size_t{1}; };

TEST(Estimator, Law1EveryCycleHasOneCause) {
  const Outcome outcome = estimate(Walk(1, 150, 20), true, kWhole);
  uint64_t sum = 0;
  for (const uint64_t cycles : outcome.totals) sum += cycles;
  EXPECT_EQ(sum, outcome.cycles);
  for (const Cause cause :
       {Cause::issued, Cause::load_use, Cause::mac, Cause::divide, Cause::fp, Cause::dmiss_flash,
        Cause::dmiss_axi_sram, Cause::dmiss_other, Cause::mispredict, Cause::unaligned,
        Cause::instruction_fetch, Cause::store_buffer, Cause::barrier, Cause::dependency})
    EXPECT_GT(outcome.totals[static_cast<size_t>(cause)], 0u) << cause_name(cause);
}

TEST(Estimator, Law3MemoisedEqualsPlainEqualsAnyCutting) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const Walk walk(seed, 60 + 20 * seed, 12);
    const bool caches = seed % 4 != 0;
    const Outcome whole = estimate(walk, true, kWhole, caches);
    std::mt19937 random(seed);
    const std::pair<const char*, Outcome> others[] = {
        {"plain", estimate(walk, false, kWhole, caches)},
        {"single instructions", estimate(walk, true, kSingle, caches)},
        {"random cuts", estimate(walk, true, [&] { return 1 + random() % 9; }, caches)}};
    for (const auto& [name, other] : others)
      EXPECT_TRUE(whole == other) << name << ", seed " << seed << '\n'
                                  << difference(walk, whole, other);
  }
}

TEST(Estimator, TwoRunsAreEqual) {
  const Walk walk(99, 200, 10);
  EXPECT_EQ(estimate(walk, true, kWhole), estimate(walk, true, kWhole));
}

// Mispredict cycles per execution of a branch with the given outcomes in turn (none: a coin).
double branch_cycles(const std::string& body, const std::vector<bool>& pattern) {
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  const auto estimator = make_estimator(board);
  const auto head = testing::assemble_text(body + "\nbeq.w .+12", 0x1000);
  const auto tail = testing::assemble_text("nop.w\nb.w .+8\nnop.w\nb.w 0x1000",
                                           0x1000 + static_cast<uint32_t>(head.size()));
  const uint32_t after = 0x1000 + static_cast<uint32_t>(head.size());
  estimator->block_defined({0, 0x1000, 0, head});
  estimator->block_defined({1, after, 0, {tail.begin(), tail.begin() + 8}});
  const auto back = testing::assemble_text("nop.w\nb.w .-4", after + 8);
  estimator->block_defined({2, after + 8, 0, back});
  const uint32_t count = static_cast<uint32_t>(Decoder().decode(0x1000, head).instructions.size());
  const auto pass = [&](bool taken) {
    estimator->run({0, count, {}, 0});
    estimator->run({taken ? 2u : 1u, 2, {}, 0});
    if (!taken) estimator->run({2, 2, {}, 0});
  };
  std::mt19937 random(7);
  const auto next = [&](int i) {
    return pattern.empty() ? random() % 2 == 0
                           : bool{pattern[static_cast<size_t>(i) % pattern.size()]};
  };
  for (int i = 0; i < 4000; ++i) pass(next(i));
  const auto spent = [&] { return estimator->totals()[static_cast<size_t>(Cause::mispredict)]; };
  const uint64_t before = spent();
  for (int i = 0; i < 4000; ++i) pass(next(i));
  return static_cast<double>(spent() - before) / 4000;
}

TEST(Estimator, MispredictedBranchCostsEightOrSixWithEarlyFlags) {
  const std::string filler = "nop.w\nnop.w\nnop.w\nnop.w\nnop.w\nnop.w\nnop.w\nnop.w\n";
  const std::string late = filler + "cmp.w r0, r1", early = "cmp.w r0, r1\n" + filler;
  for (const std::vector<bool>& learnt :
       {std::vector<bool>{true}, {false}, {true, true, false, false}})
    EXPECT_EQ(branch_cycles(late, learnt), 0);
  // A ten-round loop branch is foreseen; a coin is not, and costs in the ratio 8 to 6.
  EXPECT_EQ(branch_cycles(late, {true, true, true, true, true, true, true, true, true, false}), 0);
  const double coin_late = branch_cycles(late, {}), coin_early = branch_cycles(early, {});
  EXPECT_NEAR(coin_late, 8.0 / 2, 0.4);
  EXPECT_DOUBLE_EQ(coin_early / coin_late, 6.0 / 8);
}

TEST(Estimator, CacheMissesCostWhatTheBusesSay) {
  // LDR from flash at 400 MHz: 11 to 15 core cycles exposed (measured range of the sources).
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  const auto estimator = make_estimator(board);
  estimator->control({What::core_hz, 400'000'000});
  estimator->control({What::axi_hz, 200'000'000});
  estimator->control({What::flash_wait_states, 2});
  estimator->control({What::dcache_enable, 1});
  estimator->block_defined(
      {0, 0x1000, 0, testing::assemble_text("ldr.w r0, [r1]\nnop.w\nb.w .-8", 0x1000)});
  const auto load = [&](uint32_t address) {
    const uint64_t before = estimator->now();
    const trace::Access access{address, 4, false, 0};
    estimator->run({0, 3, {&access, 1}, 0});
    return estimator->now() - before;
  };
  for (int i = 0; i < 8; ++i) load(0x20000000);
  const uint64_t hit = load(0x20000000);
  const uint64_t miss = load(0x08000000) - hit;
  EXPECT_GE(miss, 11u);
  EXPECT_LE(miss, 15u);
  for (int i = 0; i < 20; ++i) load(0x20000000);
  EXPECT_EQ(load(0x0800001C), hit);             // same line, all there by now
  EXPECT_EQ(load(0x08000100) - hit, miss);
  EXPECT_LT(load(0x08000108) - hit, miss);      // next beat of a line in flight
  EXPECT_GT(load(0x24000000), hit);
  EXPECT_EQ(estimator->totals()[static_cast<size_t>(Cause::dmiss_axi_sram)] > 0, true);
}

TEST(Estimator, AheadReachesTheIssueOfAnOpenRunsInstruction) {
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  const auto estimator = make_estimator(board);
  const auto code =
      testing::assemble_text("udiv r0, r1, r2\nudiv r3, r1, r2\nldr.w r4, [r5]\nnop.w", 0x1000);
  DecodedBlock block = Decoder().decode(0x1000, code);
  estimator->block_defined({0, 0x1000, 0, code});
  estimator->run({0, 4, {}, 0});
  const uint64_t now = estimator->now();
  const uint64_t ahead = estimator->ahead(block, {}, 2);
  EXPECT_GE(ahead, 14u);  // two divisions of 7
  EXPECT_EQ(estimator->now(), now);
  EXPECT_EQ(estimator->ahead(block, {}, 2), ahead);
  estimator->run({0, 4, {}, 0});
  EXPECT_GE(estimator->now() - now, ahead);
}

TEST(Estimator, GuessRangesReachTheTotal) {
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  const auto estimator = make_estimator(board);
  estimator->control({What::dcache_enable, 1});
  estimator->block_defined({0, 0x1000, 0, testing::assemble_text("ldr.w r0, [r1]\nudiv r2, r0, r3\nb.w .-8", 0x1000)});
  const auto pass = [&](uint32_t address) {
    const trace::Access access{address, 4, false, 0};
    estimator->run({0, 3, {&access, 1}, 0});
  };
  for (int i = 0; i < 4; ++i) pass(0x20000000);
  const auto [low, high] = estimator->range();
  const uint64_t now = estimator->now();
  pass(0x20000000);  // a divide: 7, between 3 and 12
  EXPECT_EQ(estimator->range().first - low, estimator->now() - now - 4);
  EXPECT_EQ(estimator->range().second - high, estimator->now() - now + 5);
  const auto [low2, high2] = estimator->range();
  const uint64_t now2 = estimator->now();
  pass(0x24000000);  // and a miss in AXI SRAM: 5 AXI cycles, between 3 and 8, at 64 MHz 1:1
  EXPECT_EQ(estimator->range().first - low2, estimator->now() - now2 - 4 - 2);
  EXPECT_EQ(estimator->range().second - high2, estimator->now() - now2 + 5 + 3);
}

TEST(Estimator, Law5UnknownBlocksAndGuessRange) {
  const Board board = load_board(MCUSIM_SOURCE_DIR "/memmap/boards/stm32h743.toml");
  const auto estimator = make_estimator(board);
  EXPECT_THROW(estimator->run({3, 1, {}, 0}), Error);
  EXPECT_GT(estimator->guess_count(), 5u);
  EXPECT_EQ(estimator->table_hash(), make_estimator(board)->table_hash());
  EXPECT_NE(estimator->table_hash(),
            make_estimator(board, {.guesses = timing::GuessEnd::low})->table_hash());
}

}  // namespace
}  // namespace mcusim
