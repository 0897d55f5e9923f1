// SPDX-License-Identifier: MIT
// The hot path: one call per block and one per data access. Between blocks the open
// run is delivered; inside a block accesses are matched to instructions by order and
// marked in the shadow. No allocation, no engine register read unless asked for.
#include "sim/machine/core.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

constexpr uint32_t kLine = 1024;   // the engine's page: unaligned reads across it come thrice

// For an access of 1, 2, 4 or 8 bytes: which shadow bits matter and what they are when
// there is nothing to do. Writes to decoded code always have something to do.
struct ShadowPattern {
  uint64_t care = 0, want = 0;
};
struct ShadowPatterns {
  ShadowPattern read[9], write[9];
};
constexpr ShadowPatterns make_patterns() {
  ShadowPatterns patterns;
  for (uint32_t size = 1; size <= 8; size *= 2)
    for (uint32_t i = 0; i < size; ++i) {
      constexpr uint64_t kRead = kShadowRead | kShadowInitialised;
      constexpr uint64_t kWritten = kShadowWritten | kShadowInitialised;
      patterns.read[size].care |= kRead << 8 * i;
      patterns.read[size].want |= kRead << 8 * i;
      patterns.write[size].care |= (kWritten | kShadowCode) << 8 * i;
      patterns.write[size].want |= kWritten << 8 * i;
    }
  return patterns;
}
constexpr ShadowPatterns kPatterns = make_patterns();

}  // namespace

void Machine::Core::enter_block(uint32_t address, uint32_t size) {
  if (open_ != nullptr) [[likely]] close_block();
  if (instructions >= check_at || clocked_deadline) [[unlikely]] {
    if (intervene(address)) return;
  }
  BlockPlan* plan = lookup[(address >> 1) & (kLookup - 1)];
  if (plan == nullptr || plan->key != plan_key(address, size, it_now) ||
      ((plan->traits & entry_mask) && !entry_checks(*plan))) [[unlikely]] {
    plan = find_plan(address, size);
    if (plan == nullptr) return;
  }
  open_ = plan;
  cursor = plan->first_slot;
  access_end = accesses.data();
  skipped_mask = plan->predicated_mask;
  if (plan->traits & kHasAnchors) {
    skipped_left = plan->predicated_count;
    anchored = UINT32_MAX;
  }
}

bool Machine::Core::entry_checks(BlockPlan& plan) {
  if ((plan.traits & entry_mask & kInWritableMemory) &&
      memory.read_differs(plan.address, plan.code))
    return false;
  if (plan.traits & entry_mask & kUsesFpu)
    violation(plan.first_fpu, "FPU instruction before CPACR enables the FPU", {});
  return true;
}

void Machine::Core::set_fpu_enabled(bool enabled) {
  fpu_enabled = enabled;
  entry_mask = 0;
  if (options.strict && !enabled) entry_mask |= kUsesFpu;
  if (options.fast) entry_mask |= kInWritableMemory;   // writes to code are not seen
}

void Machine::Core::close_block() {
  const BlockPlan& plan = *open_;
  open_ = nullptr;
  cursor = &no_slot;
  instructions += plan.instructions;
  it_now = plan.it_exit;
  history[history_count++ % kHistory] = {&plan, plan.instructions};
  if (sink != nullptr)
    sink->run({plan.id, plan.instructions,
               {accesses.data(), static_cast<size_t>(access_end - accesses.data())},
               skipped_mask});
  if (plan.needs_after || after_run) [[unlikely]] after_block(plan);
}

void Machine::Core::close_partly(uint32_t retired) {
  if (open_ == nullptr) return;
  const BlockPlan& plan = *open_;
  open_ = nullptr;
  cursor = &no_slot;
  it_now = 0;
  while (access_end > accesses.data() && access_end[-1].instruction >= retired) --access_end;
  if (retired != 0) {
    instructions += retired;
    history[history_count++ % kHistory] = {&plan, retired};
    // Only loads and stores before the cut can have been skipped.
    const uint64_t before = retired >= 64 ? ~uint64_t{0} : (uint64_t{1} << retired) - 1;
    skipped += static_cast<uint64_t>(std::popcount(skipped_mask & before));
    if (sink != nullptr)
      sink->run({plan.block->id, retired,
                 {accesses.data(), static_cast<size_t>(access_end - accesses.data())},
                 skipped_mask & before});
  }
  if (!deferred.empty()) flush_deferred();
}

// What blocks with traits need once they have run.
void Machine::Core::after_block(const BlockPlan& plan) {
  after_run = false;
  if (plan.predicated_count != 0 && !options.fast) skipped += skipped_left;
  if (!deferred.empty()) flush_deferred();
  settle_flash();
  if (plan.traits & kChangesSystem) read_system_registers();
  if (plan.traits & kSendsEvent) event_register = true;
  if ((plan.traits & kMovesStack) && on_main_stack && !options.fast) {
    uint32_t sp = engine.reg(UC_ARM_REG_SP);
    if (sp & 3) engine.set_reg(UC_ARM_REG_SP, sp &= ~3u);   // RAZ/WI (B1.4.7); the engine keeps them
    note_stack(sp, plan.instructions - 1);
  }
  if (code_written) {
    code_written = false;
    forget_plans();            // every block compares its bytes before its next run
  }
  if (plan.is_self_branch) {
    if (++self_branch_runs == 2) look_soon();
  } else {
    self_branch_runs = 0;
  }
  if (violated) {
    violated = false;
    const Instruction& culprit = plan.block->instructions[violation_instruction];
    end(EndReason::strict_violation, message, culprit.address);
  }
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
  if (mpu_closes && !mpu_grants(address, AccessKind::execute)) {
    Fault found;
    found.exception = kMemManage;
    found.status = 1;
    found.pc = address;
    found.culprit = last_retired(address);
    found.text = fmt::format("jump to 0x{:08x}, where the MPU forbids to execute", address);
    fault = std::move(found);
    resume_pc = address;
    engine.stop();
    return nullptr;
  }
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
    if (block->id >= plans.size()) plans.resize(block->id + 1);
    BlockPlan& made = plans[block->id];
    plan_block(made, *block, {code, code + size});
    const MemoryRegion* region = memory.find(address);
    if (region != nullptr && region->region.writable) made.traits |= kInWritableMemory;
    if (options.fast) made.predicated_mask = 0;    // without events nobody can tell
    if (sink != nullptr) sink->block_defined({block->id, address, it_now, {code, code + size}});
  }
  BlockPlan& plan = plans[block->id];
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
  if (trap_division && hook_divisions(plan)) {
    engine.forget_code(address, size);               // as above
    engine.set_reg(UC_ARM_REG_PC, address | 1);
    return nullptr;
  }
  if (plan.traits & entry_mask) entry_checks(plan);
  return &plan;
}

void Machine::Core::forget_plans() { std::fill(lookup.begin(), lookup.end(), nullptr); }

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
                               is_write ? "write" : "read", size, open_ ? open_->address : 0);
    ending = true;
    look_soon();
    return nullptr;
  }
  return slot;
}

void Machine::Core::access(bool is_write, uint32_t address, uint32_t size) {
  const Slot* slot = cursor;
  if (mpu_closes && !mpu_grants(address, is_write ? AccessKind::write : AccessKind::read)) [[unlikely]] {
    if (const Slot* denied = resolve(slot, is_write, size))
      deny(denied->instruction, address, kMemManage, 1u << 1 | 1u << 7,
           fmt::format("{} of {} bytes at 0x{:08x} that the MPU forbids", is_write ? "write" : "read",
                       size, address));
    return;
  }
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
    ending = true;
    look_soon();
    return;
  }
  cursor = slot + 1;
  *access_end++ = {address, static_cast<uint8_t>(size), is_write, slot->instruction};
  if (address & (slot->align_mask | (size - 1))) [[unlikely]]
    unaligned(*slot, is_write, address, size);
  uint8_t* shadow = memory.shadow(address);
  if (shadow == nullptr) return;    // a device
  uint64_t bits;
  std::memcpy(&bits, shadow, sizeof bits);
  const ShadowPattern& pattern = (is_write ? kPatterns.write : kPatterns.read)[size];
  if ((bits ^ pattern.want) & pattern.care) [[unlikely]]
    mark_shadow(shadow, is_write, address, size, *slot);
}

void Machine::Core::unaligned(const Slot& slot, bool is_write, uint32_t address, uint32_t size) {
  if ((address & (kLine - 1)) + size > kLine && !is_write) {
    resume_slot = cursor;           // two more events of this read follow
    cursor = ignore_slots;
  }
  const bool always = (address & slot.align_mask) != 0;
  if (trap_alignment || (always && !only_hangs(vector_of(fault_exception(kUsageFault)))))
    return deny(slot.instruction, address, kUsageFault, 1u << 24,
                fmt::format("unaligned {} at 0x{:08x}", is_write ? "write" : "read", address));
  if (always && options.strict)
    violation(slot.instruction, fmt::format("unaligned address 0x{:08x}: the instruction needs "
                                            "{}-byte alignment and raises a UsageFault",
                                            address, slot.align_mask + 1), address);
}

// First touch of these bytes, a write to code, or a read of bytes that nobody wrote.
void Machine::Core::mark_shadow(uint8_t* shadow, bool is_write, uint32_t address, uint32_t size,
                                const Slot& slot) {
  uint32_t unwritten = 0;
  for (uint32_t i = 0; i < size; ++i) {
    if (is_write) {
      if (shadow[i] & kShadowCode) {
        code_written = after_run = true;
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
  violated = after_run = true;
  violation_instruction = instruction;
  message = std::move(text);
  end_data = data;
}

}  // namespace mcusim
