// SPDX-License-Identifier: MIT
// Decoded block to event plan. Alignment that strict checks demand: words for LDM, STM,
// LDRD, STRD, VLDR, VSTR, VLDM, VSTM (64-bit events too: Armv7-M ARM A3.2.1 asks for
// word alignment), the access size for exclusives.
#include "sim/machine/block_plan.h"

#include <algorithm>

namespace mcusim {
namespace {

constexpr RegisterSet kSpBit = RegisterSet{1} << 13;

void add_slots(BlockPlan& plan, const Instruction& instruction, uint16_t index,
               bool after_exclusive) {
  const uint16_t first = static_cast<uint16_t>(plan.slots.size());
  const bool predicated = instruction.in_it_block;
  Slot slot;
  slot.instruction = index;
  slot.key = instruction.access_bytes;
  if (instruction.needs_alignment)
    slot.align_mask = instruction.is_exclusive ? instruction.access_bytes - 1 : 3;
  if (predicated) slot.flags |= kSlotPredicated;
  if (instruction.address_reads & kSpBit) slot.flags |= kSlotStack;
  for (uint32_t word = 0; word < instruction.memory_words; ++word) {
    Slot event = slot;
    const bool extra_read = instruction.is_exclusive && instruction.is_store && word == 0;
    if (extra_read) event.flags |= kSlotExclusiveRead;
    else if (instruction.is_store) event.key |= kWriteKey;
    plan.slots.push_back(event);
  }
  if (predicated || after_exclusive) plan.anchors.emplace_back(instruction.address, first);
  if (predicated) {
    ++plan.predicated_count;
    if (index < 64) plan.predicated_mask |= uint64_t{1} << index;
  }
}

uint16_t traits_of(const Instruction& instruction) {
  const auto& name = instruction.mnemonic;
  uint16_t traits = 0;
  if (name == "msr" || name == "cps") traits |= kChangesSystem;
  if (name == "sev") traits |= kSendsEvent;
  const bool by_access = instruction.memory_words != 0 && (instruction.address_reads & kSpBit);
  if ((instruction.writes & kSpBit) && !by_access) traits |= kMovesStack;
  return traits;
}

bool is_self_branch(const DecodedBlock& block) {
  const Instruction& last = block.instructions.back();
  return last.is_branch && !last.is_indirect && !last.is_call && last.condition == 14 &&
         last.branch_target == block.address &&
         std::all_of(block.instructions.begin(), block.instructions.end(),
                     [](const Instruction& i) { return i.is_branch || i.mnemonic == "nop"; });
}

}  // namespace

void plan_block(BlockPlan& plan, const DecodedBlock& block, std::vector<uint8_t> code) {
  plan.block = &block;
  plan.id = block.id;
  plan.address = block.address;
  plan.bytes = block.bytes;
  plan.it_entry = block.it_entry;
  plan.it_exit = block.it_exit;
  plan.key = plan_key(block.address, block.bytes, block.it_entry);
  plan.code = std::move(code);
  plan.instructions = static_cast<uint32_t>(block.instructions.size());
  bool after_exclusive = false;
  for (size_t i = 0; i < block.instructions.size(); ++i) {
    const Instruction& instruction = block.instructions[i];
    plan.traits |= traits_of(instruction);
    if (instruction.is_fpu && !instruction.in_it_block && !(plan.traits & kUsesFpu)) {
      plan.traits |= kUsesFpu;
      plan.first_fpu = static_cast<uint16_t>(i);
    }
    if (instruction.memory_words == 0) continue;
    add_slots(plan, instruction, static_cast<uint16_t>(i), after_exclusive);
    after_exclusive = instruction.is_exclusive && instruction.is_store;
  }
  Slot end;
  end.flags = kSlotEnd;
  plan.slots.push_back(end);
  plan.first_slot = plan.slots.data();
  if (!plan.anchors.empty()) plan.traits |= kHasAnchors;
  if (!block.instructions.empty()) {
    const Instruction& last = block.instructions.back();
    if (last.mnemonic == "wfi") plan.traits |= kEndsInWfi;
    if (last.mnemonic == "wfe") plan.traits |= kEndsInWfe;
    if (last.mnemonic == "yield") plan.traits |= kEndsInYield;
    plan.is_self_branch = is_self_branch(block);
  }
  plan.needs_after = (plan.traits & (kMovesStack | kChangesSystem | kSendsEvent)) != 0 ||
                     plan.is_self_branch || plan.predicated_count != 0;
}

}  // namespace mcusim
