// SPDX-License-Identifier: MIT
// The hot path: one call per block and one per data access. Between blocks the open
// run is delivered; inside a block accesses are matched to instructions by order and
// marked in the shadow. No allocation, no engine register read unless asked for.
#include "sim/machine/core.h"

#include <bit>
#include <cstring>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

constexpr uint32_t kLine = 1024;   // the engine's page: unaligned reads across it come thrice

// A pattern with `flags` in each of `size` shadow bytes.
constexpr uint64_t kEach = 0x0101010101010101;

template <typename Word>
inline bool all_marked(const uint8_t* shadow, uint8_t flags) {
  Word value;
  std::memcpy(&value, shadow, sizeof value);
  const Word wanted = static_cast<Word>(kEach * flags);
  // A write to decoded code is never "marked already".
  const Word code = static_cast<Word>(kEach * kShadowCode);
  return (value & wanted) == wanted && ((flags & kShadowWritten) == 0 || (value & code) == 0);
}

inline bool marked(const uint8_t* shadow, uint32_t size, uint8_t flags) {
  switch (size) {
    case 4: return all_marked<uint32_t>(shadow, flags);
    case 1: return all_marked<uint8_t>(shadow, flags);
    case 2: return all_marked<uint16_t>(shadow, flags);
    default: return all_marked<uint64_t>(shadow, flags);
  }
}

}  // namespace

void Machine::Core::enter_block(uint32_t address, uint32_t size) {
  if (open_ != nullptr) close_block();
  if (attention || instructions >= options.max_instructions ||
      (deadline != kNever && time_now() >= deadline)) [[unlikely]] {
    if (intervene(address)) return;
  }
  BlockPlan* plan = lookup[(address >> 1) & (kLookup - 1)];
  if (plan == nullptr || plan->address != address || plan->bytes != size ||
      plan->it_entry != it_now || plan->generation != generation ||
      (options.fast && (plan->traits & kInWritableMemory))) [[unlikely]] {
    plan = find_plan(address, size);
    if (plan == nullptr) return;
  }
  open_ = plan;
  cursor = plan->slots.data();
  access_end = accesses.data();
  skipped_mask = plan->predicated_mask;
  skipped_left = plan->predicated_count;
  anchored = UINT32_MAX;
  if ((plan->traits & kUsesFpu) && !fpu_enabled && options.strict) [[unlikely]]
    violation(plan->first_fpu, "FPU instruction before CPACR enables the FPU", {});
}

void Machine::Core::close_block() {
  const BlockPlan& plan = *open_;
  open_ = nullptr;
  instructions += plan.instructions;
  ++block_runs;
  it_now = plan.it_exit;
  history[history_count++ % kHistory] = {&plan, plan.instructions};
  skipped += skipped_left;
  if (sink != nullptr)
    sink->run({plan.block->id, plan.instructions,
               {accesses.data(), static_cast<size_t>(access_end - accesses.data())},
               options.fast ? 0 : skipped_mask});
  if (!deferred.empty()) [[unlikely]] flush_deferred();
  if ((plan.traits & (kMovesStack | kChangesSystem | kSendsEvent)) || plan.is_self_branch ||
      code_written || violated) [[unlikely]]
    after_block(plan);
}

void Machine::Core::close_partly(uint32_t retired) {
  if (open_ == nullptr) return;
  const BlockPlan& plan = *open_;
  open_ = nullptr;
  it_now = 0;
  while (access_end > accesses.data() && access_end[-1].instruction >= retired) --access_end;
  if (retired != 0) {
    instructions += retired;
    ++block_runs;
    history[history_count++ % kHistory] = {&plan, retired};
    // Only loads and stores before the cut can have been skipped.
    const uint64_t before = retired >= 64 ? ~uint64_t{0} : (uint64_t{1} << retired) - 1;
    skipped += static_cast<uint64_t>(std::popcount(skipped_mask & before));
    if (sink != nullptr)
      sink->run({plan.block->id, retired,
                 {accesses.data(), static_cast<size_t>(access_end - accesses.data())},
                 options.fast ? 0 : skipped_mask & before});
  }
  if (!deferred.empty()) flush_deferred();
}

// What blocks with traits need once they have run.
void Machine::Core::after_block(const BlockPlan& plan) {
  if (plan.traits & kChangesSystem) read_system_registers();
  if (plan.traits & kSendsEvent) event_register = true;
  if ((plan.traits & kMovesStack) && on_main_stack && !options.fast) {
    const uint32_t sp = engine.reg(UC_ARM_REG_SP);
    note_stack(sp, plan.instructions - 1);
    if (options.strict && (sp & 3) != 0)
      violation(plan.instructions - 1, fmt::format("stack pointer 0x{:08x} is not word aligned", sp),
                sp);
  }
  if (code_written) {
    code_written = false;
    ++generation;              // every block compares its bytes before its next run
  }
  if (plan.is_self_branch) {
    if (++self_branch_runs == 2) attention = true;
  } else {
    self_branch_runs = 0;
  }
  if (violated) {
    violated = false;
    attention = true;
    const Instruction& culprit = plan.block->instructions[violation_instruction];
    end(EndReason::strict_violation, message, culprit.address);
  }
}

bool Machine::Core::intervene(uint32_t address) {
  if (self_branch_runs >= 2 && !ending) {
    bus.poll();
    const bool can_leave = (deadline != kNever || nvic.any_pending()) &&
                           engine.reg(UC_ARM_REG_PRIMASK) == 0;
    if (!can_leave) {
      const FirstTouch* poll = bus.last_read();
      end(EndReason::self_branch,
          poll == nullptr ? std::string("endless loop that no interrupt can leave")
                          : fmt::format("endless loop that no interrupt can leave; the last "
                                        "peripheral word read was 0x{:08x} ({})", poll->address,
                                        poll->device ? poll->device->name() : "plain storage"),
          address);
    }
    self_branch_runs = 0;
  }
  if (!ending && instructions >= options.max_instructions)
    end(EndReason::budget, fmt::format("instruction budget of {} used up", options.max_instructions),
        address);
  if (ending) {
    if (it_now != 0) return false;   // a stop inside IT would come late: wait for the next block
    resume_pc = address;
    engine.stop();
    return true;
  }
  if (deadline != kNever && time_now() >= deadline) {
    bus.run_events(time_now());
    deadline = bus.next_event();
  }
  const bool taken = nvic.any_pending() && take_pending(address);
  attention = ending || nvic.any_pending();
  if (taken && ending) {             // entry itself failed
    resume_pc = address;
    engine.stop();
  }
  return taken;
}

BlockPlan* Machine::Core::find_plan(uint32_t address, uint32_t size) {
  uint8_t code[2 * kLine];
  if (size == 0 || size > sizeof code || !memory.contains(address, size)) {
    broken_law = fmt::format("block of {} bytes at 0x{:08x}", size, address);
    engine.stop();
    return nullptr;
  }
  constexpr uint32_t kThumbBit = 1u << 24;
  if ((engine.reg(UC_ARM_REG_XPSR) & kThumbBit) == 0) return nullptr;   // the engine will refuse it
  const std::span<uint8_t> bytes(code, size);
  memory.read(address, bytes);
  bool is_new = false;
  const DecodedBlock* block = nullptr;
  try {
    block = &table.intern(address, bytes, it_now, &is_new);
  } catch (const Error& error) {
    end_with_fault(error.what(), address);
    resume_pc = address;
    engine.stop();
    return nullptr;
  }
  if (is_new) {
    BlockPlan plan = plan_block(*block);
    const MemoryRegion* region = memory.find(address);
    if (region != nullptr && region->region.writable) plan.traits |= kInWritableMemory;
    if (block->id >= plans.size()) plans.resize(block->id + 1);
    plans[block->id] = std::move(plan);
    if (sink != nullptr) sink->block_defined({block->id, address, it_now, {code, code + size}});
  }
  BlockPlan& plan = plans[block->id];
  plan.generation = generation;
  for (uint32_t i = 0; i < size; ++i) {
    uint8_t& shadow = *memory.shadow(address + i);
    if ((shadow & kShadowInitialised) == 0 && options.strict) {
      end(EndReason::strict_violation, fmt::format("code at 0x{:08x} was never written", address),
          last_retired(address));
      resume_pc = address;
      engine.stop();
      return nullptr;
    }
    shadow |= kShadowCode;
  }
  lookup[(address >> 1) & (kLookup - 1)] = &plan;
  if (is_new && !options.fast && !plan.anchors.empty()) {
    // The hooks are seen only by a new translation: drop this one and enter again.
    // (Writing PC leaves the block before its first instruction, IT bits kept.)
    add_anchor_hooks(plan);
    engine.forget_code(address, size);
    engine.set_reg(UC_ARM_REG_PC, address | 1);
    return nullptr;
  }
  return &plan;
}

void Machine::Core::add_anchor_hooks(const BlockPlan& plan) {
  const uc_cb_hookcode_t callback = [](uc_engine*, uint64_t at, uint32_t, void* self) {
    static_cast<Core*>(self)->anchor(static_cast<uint32_t>(at));
  };
  for (const auto& [address, slot] : plan.anchors)
    if (hooked.insert(address).second)
      engine.hook(UC_HOOK_CODE, reinterpret_cast<void*>(callback), this, address, address);
}

void Machine::Core::anchor(uint32_t address) {
  if (open_ == nullptr) return;
  for (const auto& [at, slot] : open_->anchors) {
    if (at != address) continue;
    cursor = open_->slots.data() + slot;
    anchored = cursor->instruction;
    if (cursor->flags & kSlotPredicated) {
      if (anchored < 64) skipped_mask &= ~(uint64_t{1} << anchored);
      --skipped_left;
    }
    return;
  }
}

// The slot of an event when the plain order does not tell it; nullptr: drop the event.
const Slot* Machine::Core::resolve(const Slot* slot, bool is_write, uint32_t size) {
  while ((slot->flags & kSlotPredicated) && slot->instruction != anchored) ++slot;
  if (slot->flags & kSlotIgnore) {
    cursor = slot[1].flags & kSlotIgnore ? slot + 1 : resume_slot;
    return nullptr;
  }
  if (slot->flags & kSlotExclusiveRead) {
    cursor = slot + 1;
    return nullptr;
  }
  if (slot->flags & kSlotEnd) {
    if (!broken_law)
      broken_law = fmt::format("{} of {} bytes that no instruction of the block at 0x{:08x} explains",
                               is_write ? "write" : "read", size, open_->address);
    attention = ending = true;
    return nullptr;
  }
  return slot;
}

void Machine::Core::access(bool is_write, uint32_t address, uint32_t size) {
  if (open_ == nullptr) return;
  const Slot* slot = cursor;
  if (slot->flags != 0) {
    if (slot->flags & ~kSlotStack) [[unlikely]] {
      slot = resolve(slot, is_write, size);
      if (slot == nullptr) return;
    }
    if ((slot->flags & kSlotStack) && address < stack_lowest && on_main_stack)
      note_stack(address, slot->instruction);
  }
  if (slot->key != (size | (is_write ? kWriteKey : 0))) [[unlikely]] {
    if (!broken_law)
      broken_law = fmt::format("{} of {} bytes does not match `{}` at 0x{:08x}",
                               is_write ? "write" : "read", size,
                               open_->block->instructions[slot->instruction].text,
                               open_->block->instructions[slot->instruction].address);
    attention = ending = true;
    return;
  }
  cursor = slot + 1;
  trace::Access* event = access_end++;
  *event = {address, static_cast<uint8_t>(size), is_write, slot->instruction};
  if ((address & (kLine - 1)) + size > kLine && !is_write) [[unlikely]] {
    resume_slot = cursor;
    cursor = ignore_slots;
  }
  if ((address & slot->align_mask) && options.strict) [[unlikely]]
    violation(slot->instruction, fmt::format("unaligned address 0x{:08x}: the instruction needs "
                                             "{}-byte alignment and raises a UsageFault",
                                             address, slot->align_mask + 1), address);
  uint8_t* shadow = memory.shadow(address);
  if (shadow == nullptr) return;    // a device
  const uint8_t flags = is_write ? kShadowWritten | kShadowInitialised
                                 : kShadowRead | kShadowInitialised;
  if (!marked(shadow, size, flags)) [[unlikely]]
    mark_shadow(shadow, is_write, address, size, *slot);
}

// First touch of these bytes, a write to code, or a read of bytes that nobody wrote.
void Machine::Core::mark_shadow(uint8_t* shadow, bool is_write, uint32_t address, uint32_t size,
                                const Slot& slot) {
  uint32_t unwritten = 0;
  for (uint32_t i = 0; i < size; ++i) {
    if (is_write) {
      if (shadow[i] & kShadowCode) {
        code_written = true;
        shadow[i] &= static_cast<uint8_t>(~kShadowCode);
      }
      shadow[i] |= kShadowWritten | kShadowInitialised;
    } else {
      unwritten += (shadow[i] & kShadowInitialised) == 0;
      shadow[i] |= kShadowRead;
    }
  }
  if (unwritten == 0 || !options.strict || options.unwritten_reads == UnwrittenReads::off) return;
  if (options.unwritten_reads == UnwrittenReads::granule) {
    // Tolerated while some byte of each aligned 8-byte granule read was written.
    for (uint32_t granule = address & ~7u; granule < address + size; granule += 8) {
      const uint8_t* bytes = memory.shadow(granule);
      bool any = bytes == nullptr;
      for (uint32_t i = 0; i < 8 && !any; ++i) any = (bytes[i] & kShadowInitialised) != 0;
      if (!any) {
        violation(slot.instruction, fmt::format("read of {} bytes at 0x{:08x}: this memory was "
                                                "never written", size, address), address);
        return;
      }
    }
    return;
  }
  violation(slot.instruction, fmt::format("read of {} bytes at 0x{:08x}: {} of them never written",
                                          size, address, unwritten), address);
}

void Machine::Core::note_stack(uint32_t address, uint32_t instruction) {
  // A firmware may move its main stack elsewhere; only the first one is measured.
  if (address >= stack_lowest || address < stack_floor || address > stack_top) return;
  stack_lowest = address;
  if (options.strict && stack_limit && address < *stack_limit)
    violation(instruction, fmt::format("stack overflow: 0x{:08x} is below the stack limit "
                                       "0x{:08x}", address, *stack_limit), address);
}

// Only the first one counts; it ends the run when the block has finished.
void Machine::Core::violation(uint32_t instruction, std::string text,
                              std::optional<uint32_t> data) {
  if (violated || ending) return;
  violated = true;
  violation_instruction = instruction;
  message = std::move(text);
  end_data = data;
}

}  // namespace mcusim
