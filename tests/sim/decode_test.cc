// SPDX-License-Identifier: MIT
// The decoder against tests/asm/decode.s, whose comments state from the architecture
// manual what every instruction reads, writes and accesses; GNU as makes the bytes.
#include "sim/decode/decoder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "memmap/base/error.h"
#include "sim/decode/block_table.h"
#include "tests/sim/assemble.h"

namespace mcusim {
namespace {

using testing::assemble_text;

RegisterSet parse_register(const std::string& name) {
  const auto bit = [](int n) { return RegisterSet{1} << n; };
  if (name == "f") return bit(kFlags);
  if (name == "q") return bit(kQ);
  if (name == "g") return bit(kGe);
  if (name == "fs") return bit(kFpscr);
  const int number = std::stoi(name.substr(1));
  if (name[0] == 'r') return bit(number);
  if (name[0] == 's') return bit(kS0 + number);
  return RegisterSet{3} << (kS0 + 2 * number);
}

// One instruction as text in the notation of decode.s, in a fixed order.
std::string describe(const Instruction& i) {
  std::ostringstream out;
  out << i.mnemonic << std::hex << " w=" << i.writes << " r=" << i.reads << " a=" << i.address_reads
      << " x=" << i.shifted_reads << " c=" << i.accumulator_reads << " d=" << i.store_data_reads
      << " m=" << int{i.memory_words} << 'x' << int{i.access_bytes} << " cond=" << int{i.condition};
  const std::pair<bool, const char*> words[] = {
      {i.is_load, "load"}, {i.is_store, "store"}, {i.writes_base, "base"},
      {i.needs_alignment, "align"}, {i.is_branch, "branch"}, {i.is_call, "call"},
      {i.is_return, "return"}, {i.is_indirect, "indirect"}, {i.is_fpu, "fpu"},
      {i.sets_flags, "sets"}, {i.inline_shift, "shift"}, {i.shifted_constant, "const"},
      {i.in_it_block, "it"}, {i.is_exclusive, "exclusive"}};
  for (const auto& [on, word] : words)
    if (on) out << ' ' << word;
  return out.str();
}

Instruction parse_facts(const std::string& facts) {
  Instruction i;
  std::istringstream in(facts);
  in >> i.mnemonic;
  for (std::string word; in >> word;) {
    if (word.size() > 2 && word[1] == '=') {
      if (word[0] == 'm') {
        i.memory_words = static_cast<uint8_t>(std::stoi(word.substr(2)));
        i.access_bytes = static_cast<uint8_t>(std::stoi(word.substr(word.find('x') + 1)));
        continue;
      }
      RegisterSet bits = 0;
      std::istringstream list(word.substr(2));
      for (std::string name; std::getline(list, name, ',');) bits |= parse_register(name);
      switch (word[0]) {
        case 'w': i.writes = bits; break;
        case 'r': i.reads = bits; break;
        case 'a': i.address_reads = bits; break;
        case 'x': i.shifted_reads = bits; break;
        case 'c': i.accumulator_reads = bits; break;
        case 'd': i.store_data_reads = bits; break;
        default: throw Error("decode.s: {}", word);
      }
      continue;
    }
    if (word.starts_with("cond=")) {
      i.condition = static_cast<uint8_t>(std::stoi(word.substr(5)));
      continue;
    }
    const std::pair<const char*, bool*> words[] = {
        {"load", &i.is_load}, {"store", &i.is_store}, {"base", &i.writes_base},
        {"align", &i.needs_alignment}, {"branch", &i.is_branch}, {"call", &i.is_call},
        {"return", &i.is_return}, {"indirect", &i.is_indirect}, {"fpu", &i.is_fpu},
        {"sets", &i.sets_flags}, {"shift", &i.inline_shift}, {"const", &i.shifted_constant},
        {"it", &i.in_it_block}, {"exclusive", &i.is_exclusive}};
    bool known = false;
    for (const auto& [name, flag] : words)
      if (word == name) *flag = known = true;
    if (!known) throw Error("decode.s: {}", word);
  }
  return i;
}

TEST(Decode, EveryInstructionOfTheListHasTheStatedFacts) {
  const std::string source = MCUSIM_SOURCE_DIR "/tests/asm/decode.s";
  const auto code = testing::assemble_file(source, 0x08000000);
  const DecodedBlock block = Decoder().decode(0x08000000, code);
  std::ifstream in(source);
  size_t at = 0;
  for (std::string line; std::getline(in, line);) {
    const size_t facts = line.find("@@");
    if (facts == line.npos || line[0] == '@') continue;
    ASSERT_LT(at, block.instructions.size());
    EXPECT_EQ(describe(block.instructions[at]), describe(parse_facts(line.substr(facts + 2))))
        << line;
    ++at;
  }
  EXPECT_EQ(at, block.instructions.size());
  EXPECT_GT(at, 140u);
}

TEST(Decode, AddressesAndBranchTargets) {
  const auto code = assemble_text("movw r0, #1\n1: subs r0, #1\nbne 1b\nbl .+0x1000", 0x08000100);
  const DecodedBlock block = Decoder().decode(0x08000100, code);
  ASSERT_EQ(block.instructions.size(), 4u);
  EXPECT_EQ(block.instructions[1].address, 0x08000104u);
  EXPECT_EQ(block.instructions[2].branch_target, 0x08000104u);
  EXPECT_EQ(block.instructions[3].branch_target, 0x08000108u + 0x1000u);
}

TEST(Decode, BlockCutInsideAnItBlockKeepsConditions) {
  const auto code = assemble_text("itte ne\nmovne r0, #1\nmovne r1, #2\nmoveq r2, #3\nmovs r3, #4");
  BlockTable table;
  const std::span<const uint8_t> all(code);
  const DecodedBlock& first = table.intern(0x400, all.subspan(0, 4));   // it, movne
  const DecodedBlock& rest = table.intern(0x404, all.subspan(4), first.it_exit);
  EXPECT_NE(first.it_exit, 0);
  ASSERT_EQ(rest.instructions.size(), 3u);
  EXPECT_EQ(rest.instructions[0].condition, 1);   // ne
  EXPECT_FALSE(rest.instructions[0].sets_flags);  // MOVS outside IT, MOV inside
  EXPECT_EQ(rest.instructions[1].condition, 0);   // eq
  EXPECT_FALSE(rest.instructions[2].in_it_block);
  EXPECT_TRUE(rest.instructions[2].sets_flags);
  EXPECT_EQ(rest.it_exit, 0);
}

TEST(Decode, Law5UnknownInstructionsAreNamed) {
  const Decoder decoder;
  const std::vector<uint8_t> mcr = {0x00, 0xee, 0x10, 0x0f};  // MCR p15: no such coprocessor here
  try {
    (void)decoder.decode(0x08001000, mcr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "decode: unknown instruction mcr p15, #0, r0, c0, c0, #0 (00ee100f) "
                               "at 0x08001000");
  }
  const std::vector<uint8_t> garbage = {0x00, 0xbf, 0xff, 0xff, 0xff, 0xff};
  try {
    (void)decoder.decode(0x100, garbage);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "decode: unknown instruction: bytes ffffffff at 0x00000102");
  }
  const std::vector<uint8_t> half = {0x00, 0xbf, 0x00};
  EXPECT_THROW((void)decoder.decode(0, half), Error);
}

TEST(BlockTable, SameAddressWithOtherBytesIsAnotherBlock) {
  BlockTable table;
  const std::vector<uint8_t> nop = {0x00, 0xbf}, add = {0x01, 0x30};
  bool is_new = false;
  const uint32_t first = table.intern(0x100, nop, 0, &is_new).id;
  EXPECT_TRUE(is_new);
  const uint32_t second = table.intern(0x100, add, 0, &is_new).id;
  EXPECT_TRUE(is_new);
  EXPECT_NE(first, second);
  EXPECT_EQ(table.intern(0x100, nop, 0, &is_new).id, first);
  EXPECT_FALSE(is_new);
  EXPECT_EQ(table.at(second).instructions[0].mnemonic, "add");
  EXPECT_THROW(table.at(2), Error);
  EXPECT_THROW(table.define({7, 0x100, 0, nop}), Error);
}

}  // namespace
}  // namespace mcusim
