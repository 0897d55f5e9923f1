// SPDX-License-Identifier: MIT
// Decoded instructions to pipeline operations: each register read gets the way in
// which it is consumed, each register written the way in which it is made.
#include "sim/timing/pipeline.h"

namespace mcusim::timing {
namespace {

constexpr RegisterSet kCoreRegisters = 0x7FFF;
constexpr RegisterSet kFlagsBit = RegisterSet{1} << kFlags;
constexpr RegisterSet kQBit = RegisterSet{1} << kQ;

Use use_of(const Instruction& i, const TimingRow& row, RegisterSet bit) {
  if (bit == kFlagsBit) return Use::predicate;
  if (i.store_data_reads & bit) return i.is_fpu ? Use::fp_store : Use::store;
  if (i.index_reads & bit) return Use::index;
  if (i.address_reads & bit) return Use::base;
  if (i.accumulator_reads & bit) return row.accumulator;
  if (i.shifted_reads & bit) return Use::early;
  if (i.shifted_reads && row.use == Use::late) return Use::late_beside_early;
  return row.use;
}

}  // namespace

Ops build_ops(const DecodedBlock& block) {
  Ops out;
  for (const Instruction& i : block.instructions) {
    const TimingRow& row = row_of(i);
    Op op;
    op.address = i.address;
    op.bytes = i.bytes;
    op.words = i.memory_words;
    op.slots = row.slots;
    op.cycles = row.cycles;
    op.cause = row.cause;
    if (row.high != 0) {
      op.below = static_cast<uint8_t>(row.cycles - row.low);
      op.above = static_cast<uint8_t>(row.high - row.cycles);
    }
    op.is_load = i.is_load;
    op.is_store = i.is_store;
    op.is_fused = row.result == Result::fp_fused;
    if (i.inline_shift || i.shifted_constant)
      op.slots = (op.slots | kEx1Exclusive) & ~uint32_t{kEarlyOlder};
    if (i.is_branch) op.slots |= kBranchUnit;
    if (row.slots & kHalves) {
      const unsigned words = i.memory_words * (i.access_bytes == 8 ? 2u : 1u);
      op.words = static_cast<uint8_t>(words);
      op.cycles = static_cast<uint8_t>(words > 1 ? (words + 1) / 2 : 1);
    }

    op.first_operand = static_cast<uint32_t>(out.operands.size());
    // A branch reads its registers late: prediction hides them.
    const bool predicted = (row.slots & kBranchUnit) && !i.is_load;
    const RegisterSet reads =
        predicted ? (i.in_it_block ? kFlagsBit & i.reads : 0) : i.reads & ~kQBit;
    for (int reg = 0; reg < kRegisters; ++reg) {
      const RegisterSet bit = RegisterSet{1} << reg;
      if (!(reads & bit)) continue;
      Use use = use_of(i, row, bit);
      // A register may be both data and address, or both multiplicand and accumulator:
      // both uses hold.
      if ((i.store_data_reads & i.address_reads & bit) != 0)
        out.operands.push_back(
            {static_cast<uint8_t>(reg), (i.index_reads & bit) ? Use::index : Use::base});
      out.operands.push_back({static_cast<uint8_t>(reg), use});
    }
    op.operands = static_cast<uint16_t>(out.operands.size() - op.first_operand);

    op.first_target = static_cast<uint32_t>(out.targets.size());
    const RegisterSet base = i.writes_base ? i.address_reads & ~i.index_reads : 0;
    unsigned loaded = 0;
    for (int reg = 0; reg < kRegisters; ++reg) {
      const RegisterSet bit = RegisterSet{1} << reg;
      if (!(i.writes & ~kQBit & bit) || reg == 15) continue;
      Target target{static_cast<uint8_t>(reg), row.result, 0};
      if (bit == kFlagsBit) target.result = Result::flags;
      else if (base & bit) target.result = Result::address;
      else if (row.slots & kHalves) target.delay = static_cast<uint8_t>(loaded++ / 2);
      if (row.result == Result::fp_move && (bit & kCoreRegisters))
        target.result = Result::fp_to_core;
      if (target.result != Result::none) out.targets.push_back(target);
    }
    op.targets = static_cast<uint16_t>(out.targets.size() - op.first_target);
    out.ops.push_back(op);
  }
  return out;
}

}  // namespace mcusim::timing
