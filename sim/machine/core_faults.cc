// SPDX-License-Identifier: MIT
// Faults as the core takes them: an instruction does not complete, status registers say
// why, and the handler runs. The engine knows none of this. A fault found in a hook is
// kept until the engine has stopped. Armv7-M ARM B1.5.14 and B3.2.15.
//
// A handler that only hangs (the vendors' default) tells its user nothing: there the run
// ends, with the fault as its message.
#include <algorithm>

#include "memmap/base/error.h"
#include "sim/machine/core.h"

namespace mcusim {
namespace {

constexpr uint32_t kShcsr = kScbBase + 0x24, kCfsr = kScbBase + 0x28, kHfsr = kScbBase + 0x2C,
                   kMmfar = kScbBase + 0x34, kBfar = kScbBase + 0x38;
constexpr uint32_t kForced = 1u << 30;
constexpr uint32_t kMmarValid = 1u << 7, kBfarValid = 1u << 15;

const char* access_name(uc_mem_type type) {
  switch (type) {
    case UC_MEM_READ_UNMAPPED: return "read of unmapped address";
    case UC_MEM_WRITE_UNMAPPED: return "write to unmapped address";
    case UC_MEM_FETCH_UNMAPPED: return "jump to unmapped address";
    case UC_MEM_WRITE_PROT: return "write to read-only memory at";
    case UC_MEM_READ_PROT: return "read of unreadable memory at";
    case UC_MEM_FETCH_PROT: return "jump to memory that cannot execute, at";
    default: return "invalid access to";
  }
}

bool is_division(const Instruction& instruction) {
  return instruction.mnemonic == "sdiv" || instruction.mnemonic == "udiv";
}

}  // namespace

// The instruction that is now accessing `address`; its index in the open block.
uint32_t Machine::Core::accessing(bool is_write, uint32_t address, uint32_t size) {
  // Writes were announced before they failed; reads were not.
  if (is_write && access_end > accesses.data() && access_end[-1].address == address)
    return access_end[-1].instruction;
  const Slot* slot = resolve(cursor, is_write, size);
  return slot != nullptr ? slot->instruction : cursor->instruction;
}

bool Machine::Core::invalid_access(uc_mem_type type, uint32_t address, uint32_t size) {
  const bool is_fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
  if (is_fetch && address >= kFirstExcReturn) return false;
  if (fault) {                          // denied by access() a moment ago
    close_partly(fault_index);
    return false;
  }
  const bool is_write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
  Fault found;
  found.address = address;
  found.pc = address;
  if (is_fetch) {
    if (open_ != nullptr) close_block();
    found.culprit = last_retired(address);
    found.text = fmt::format("{} 0x{:08x}", access_name(type), address);
  } else {
    if (open_ != nullptr && options.fast) {
      found.pc = open_->address;        // without events nobody knows better
    } else if (open_ != nullptr) {
      const uint32_t index = accessing(is_write, address, size);
      found.pc = open_->block->instructions[index].address;
      if (violated) {                   // an earlier instruction of this block went wrong first
        violated = false;
        end(EndReason::strict_violation, message,
            open_->block->instructions[violation_instruction].address);
      }
      close_partly(index);
    }
    found.culprit = found.pc;
    found.text = fmt::format("{} 0x{:08x} ({} bytes)", access_name(type), address, size);
  }
  // Flash that ignores stores, or code in data memory, might work by luck on a board.
  const bool strict_only = type == UC_MEM_WRITE_PROT || type == UC_MEM_FETCH_PROT;
  if (ending) {
    end_data = address;
    return false;
  }
  if (strict_only || options.fast) {
    end(strict_only ? EndReason::strict_violation : EndReason::fault, found.text, found.culprit);
    end_data = address;
    return false;
  }
  const AccessKind kind = is_fetch ? AccessKind::execute
                          : is_write ? AccessKind::write : AccessKind::read;
  if (!mpu.allows(address, kind, privileged)) {
    found.exception = kMemManage;
    found.status = is_fetch ? 1u : 2u | kMmarValid;
  } else {
    found.exception = kBusFault;
    found.status = is_fetch ? 1u << 8 : 1u << 9 | kBfarValid;   // IBUSERR, PRECISERR
  }
  fault = std::move(found);
  return false;
}

// An access that memory would grant and the core does not: its region is closed for the
// moment, so that the engine gives the instruction up before it has an effect.
void Machine::Core::deny(uint32_t instruction, uint32_t address, uint32_t exception,
                         uint32_t status, std::string text) {
  const MemoryRegion* region = memory.find(address);
  if (fault || region == nullptr) return;
  Fault found;
  found.exception = exception;
  found.status = status;
  found.address = address;
  found.pc = found.culprit = open_->block->instructions[instruction].address;
  found.text = std::move(text);
  fault = std::move(found);
  fault_index = instruction;
  closed_region = region;
  engine.protect(region->region.base, region->region.size_bytes, false, false,
                 region->region.executable);
}

void Machine::Core::undefined(uint32_t status, std::string text, uint32_t pc, uint32_t culprit) {
  Fault found;
  found.exception = kUsageFault;
  found.status = status;
  found.pc = pc;
  found.culprit = culprit;
  found.text = std::move(text);
  fault = std::move(found);
}

void Machine::Core::mpu_changed(const MpuState& state) {
  mpu = state;
  mpu_closes = !options.fast && std::any_of(memory.regions().begin(), memory.regions().end(),
                                         [&](const MemoryRegion& memory_region) {
                                           return mpu.restricts(memory_region.region.base,
                                                                memory_region.region.size_bytes);
                                         });
  forget_rights();
  forget_plans();                        // each block is asked for again
}

void Machine::Core::forget_rights() {
  for (auto& of_kind : granted) std::fill(std::begin(of_kind), std::end(of_kind), 0u);
}

// Rights are the same within the 32 bytes that a region can begin and end at.
bool Machine::Core::mpu_grants(uint32_t address, AccessKind kind) {
  uint32_t& entry = granted[static_cast<size_t>(kind)][address >> 5 & (kGranted - 1)];
  const uint32_t granule = (address & ~31u) | 1;
  if (entry == granule) return true;
  // HFNMIENA: without it the MPU rests in HardFault and NMI.
  const uint32_t current = nvic.current();
  const bool rests = (current == kHardFault || current == kNmi) && !(mpu.control & 2);
  if (!rests && !mpu.allows(address, kind, privileged)) return false;
  if (!rests) entry = granule;
  return true;
}

// Whether a handler does nothing but hang: it comes to a branch to itself, or a BKPT that
// nobody serves, and meets no call and no access but to its stack on the way.
bool Machine::Core::only_hangs(uint32_t handler) const {
  constexpr uint32_t kMost = 16;
  constexpr RegisterSet kSp = RegisterSet{1} << 13;
  uint32_t at = handler & ~1u;
  for (uint32_t i = 0; i < kMost; ++i) {
    uint16_t half[2] = {0, 0};
    if (!memory.contains(at, 4)) return true;
    memory.read(at, {reinterpret_cast<uint8_t*>(half), 4});
    const bool wide = (half[0] & 0xF800) >= 0xE800;
    DecodedBlock decoded;
    try {
      decoded = Decoder().decode(at, {reinterpret_cast<const uint8_t*>(half), wide ? size_t{4} : size_t{2}});
    } catch (const Error&) {
      return true;
    }
    if (decoded.instructions.empty()) return true;
    const Instruction& instruction = decoded.instructions.front();
    if (instruction.mnemonic == "bkpt") return (half[0] & 0xFF) != 0xAB || !options.semihosting;
    if (instruction.is_call || (instruction.memory_words != 0 && !(instruction.address_reads & kSp)))
      return false;
    if (instruction.is_branch) {
      if (instruction.is_indirect || instruction.condition != 14) return false;
      if (instruction.branch_target <= at && instruction.branch_target >= (handler & ~1u)) return true;
      at = instruction.branch_target;
      continue;
    }
    at += instruction.bytes;
  }
  return false;
}

uint32_t Machine::Core::vector_of(uint32_t exception) const {
  uint32_t vector = 0;
  memory.try_read_word(bus.stored(kVtor) + 4 * exception, vector);
  return vector;
}

// The exception that silicon would take for a fault now: its own, or HardFault.
uint32_t Machine::Core::fault_exception(uint32_t exception) const {
  if (exception == kHardFault) return exception;
  const bool enabled = bus.stored(kShcsr) >> (16 + exception - kMemManage) & 1;
  const bool faultmask = engine.reg(UC_ARM_REG_FAULTMASK) & 1;
  if (enabled && nvic.can_take(exception, engine.reg(UC_ARM_REG_PRIMASK) & 1, faultmask,
                               static_cast<uint8_t>(engine.reg(UC_ARM_REG_BASEPRI))))
    return exception;
  return kHardFault;
}

void Machine::Core::take_fault() {
  const Fault found = std::move(*fault);
  fault.reset();
  violated = false;                      // of the same block, which does not complete
  open_ = nullptr;
  cursor = &no_slot;
  if (closed_region != nullptr) {
    const Region& region = closed_region->region;
    engine.protect(region.base, region.size_bytes, true, region.writable, region.executable);
    closed_region = nullptr;
  }
  const uint32_t exception = fault_exception(found.exception);
  const uint32_t vector = vector_of(exception);
  if (exception == kHardFault && !nvic.can_take(kHardFault, false, false, 0))
    return end_with_fault(found.text + " inside a fault handler: the core locks up", found.culprit,
                          found.address);
  if ((vector & 1) == 0 || !memory.contains(vector & ~1u, 2) || only_hangs(vector))
    return end_with_fault(found.text, found.culprit, found.address);
  bus.store(kCfsr, bus.stored(kCfsr) | found.status);
  if (exception == kHardFault) bus.store(kHfsr, bus.stored(kHfsr) | kForced);
  if (found.status & kMmarValid) bus.store(kMmfar, found.address.value_or(0));
  if (found.status & kBfarValid) bus.store(kBfar, found.address.value_or(0));
  if (faults.size() < kKeptFaults)
    faults.push_back(fmt::format("{}, {}: went to {}", found.text, where(found.culprit),
                                 program.describe(vector & ~1u)));
  last_fault = found;
  if (enter_exception(exception, found.pc)) resume_pc = vector & ~1u;
}

// CCR.DIV_0_TRP and CCR.UNALIGN_TRP.
void Machine::Core::set_traps(bool division, bool alignment) {
  trap_division = division && !options.fast;
  trap_alignment = alignment && !options.fast;
  if (trap_division) forget_plans();     // divisions get their hooks when a block comes again
}

// A code hook on every division of a block, once; true when it is new.
bool Machine::Core::hook_divisions(const BlockPlan& plan) {
  const uc_cb_hookcode_t callback = [](uc_engine*, uint64_t at, uint32_t, void* self) {
    Core* core = static_cast<Core*>(self);
    core->guarded([&] { core->division(static_cast<uint32_t>(at)); });
  };
  bool any = false;
  for (const Instruction& instruction : plan.block->instructions)
    if (is_division(instruction) && divisions.insert(instruction.address).second) {
      engine.hook(UC_HOOK_CODE, reinterpret_cast<void*>(callback), this, instruction.address,
                  instruction.address);
      any = true;
    }
  return any;
}

void Machine::Core::division(uint32_t address) {
  if (!trap_division || open_ == nullptr || fault || ending) return;
  const auto& list = open_->block->instructions;
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Instruction& i) { return i.address == address; });
  // A stop inside an IT block would come late.
  if (found == list.end() || found->in_it_block) return;
  uint16_t low = 0;                      // SDIV, UDIV: Rm in the last four bits
  memory.read(address + 2, {reinterpret_cast<uint8_t*>(&low), 2});
  if (engine.reg(Engine::core_register(low & 0xF)) != 0) return;
  close_partly(static_cast<uint32_t>(found - list.begin()));
  undefined(1u << 25, "division by zero", address, address);
  engine.stop();
}

}  // namespace mcusim
