// SPDX-License-Identifier: MIT
// Start and end of a run: the vector table, why the engine stopped, sleep, and the
// result with its last instructions.
#include <algorithm>
#include <utility>

#include "memmap/base/error.h"
#include "sim/machine/core.h"

namespace mcusim {
namespace {

constexpr uint32_t kMostAccesses = 512 * 17;   // 1 KiB of LDM/VLDM, with room

}  // namespace

Machine::Core::Core(const Board& board_, MachineOptions options_)
    : board(board_), options(std::move(options_)), memory(board), lookup(kLookup, nullptr),
      accesses(kMostAccesses) {
  if (options.fast) options.strict = false;
  for (Slot& slot : ignore_slots) slot.flags = kSlotIgnore;
  ignore_slots[2].flags = no_slot.flags = kSlotEnd;
  cursor = &no_slot;
  DeviceOptions devices;
  devices.board = &board;
  devices.input_without_interrupt = options.uart_input_without_interrupt;
  devices.debugger = options.semihosting;
  clocks_now = reset_clocks(board).clocks;
  add_devices(bus, *this, nvic, devices);
  install_hooks();

  SemihostingPort port;
  port.read = [this](uint32_t address, std::span<uint8_t> out) {
    if (!memory.contains(address, out.size())) return false;
    memory.read(address, out);
    return true;
  };
  port.write = [this](uint32_t address, std::span<const uint8_t> data) {
    const MemoryRegion* region = memory.find(address);
    if (!memory.contains(address, data.size()) || (region && !region->region.writable)) return false;
    memory.write(address, data);
    if (!data.empty()) engine.forget_code(address, static_cast<uint32_t>(data.size()));
    forget_plans();                   // code may have been read from a file
    return true;
  };
  port.console = [this](std::string_view text) {
    for (char character : text) console(character);
  };
  port.input = [this] { return input(); };
  port.seconds = [this] { return seconds(); };
  port.cycles = [this] { return time_now(); };
  port.core_hz = [this] { return clocks_now.core_hz; };
  semihosting.configure(std::move(port), options.semihosting_directory, options.command_line);
}

void Machine::Core::load(const Program& image) {
  for (const auto& segment : image.segments) {
    if (!memory.contains(segment.address, segment.bytes.size()))
      throw Error("{}: {} bytes at 0x{:08x}: outside the memory of board {}", image.name,
                  segment.bytes.size(), segment.address, board.name);
  }
  for (const auto& segment : image.segments) {
    memory.write(segment.address, segment.bytes);
    engine.forget_code(segment.address, static_cast<uint32_t>(segment.bytes.size()));
  }
  program = image;
  loaded = true;
  forget_plans();
  reset();
}

bool Machine::Core::vectors_at(uint32_t at, uint32_t& sp, uint32_t& pc) const {
  return memory.try_read_word(at, sp) && memory.try_read_word(at + 4, pc) && (pc & 1) != 0 &&
         memory.contains(pc & ~1u, 2) && memory.contains(sp - 4, 4);
}

void Machine::Core::reset() {
  uint32_t sp = 0, pc = 0;
  boot_vectors = board.initial_vtor;
  bool found = !loaded || vectors_at(boot_vectors, sp, pc);
  if (!found && !program.segments.empty()) {
    // An image for a boot loader: what the loader would start is at its own first bytes.
    boot_vectors = program.segments.front().address;
    found = vectors_at(boot_vectors, sp, pc);
  }
  if (!found)
    throw Error("{}: no vector table at 0x{:08x} of board {} (stack 0x{:08x}, reset 0x{:08x})",
                program.name, board.initial_vtor, board.name, sp, pc);
  nvic.reset();
  bus.reset();
  bus.store(kVtor, boot_vectors);
  semihosting.reset();
  clocks_now = reset_clocks(board).clocks;
  for (int number = 0; number < 13; ++number) engine.set_reg(Engine::core_register(number), 0);
  engine.set_reg(UC_ARM_REG_IPSR, 0);
  engine.set_reg(UC_ARM_REG_CONTROL, 0);
  for (int mask : {UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK})
    engine.set_reg(mask, 0);
  engine.set_reg(UC_ARM_REG_EPSR, 0x01000000);
  engine.set_reg(UC_ARM_REG_SP, sp & ~3u);
  engine.set_reg(UC_ARM_REG_LR, 0xFFFFFFFF);
  resume_pc = pc & ~1u;
  open_ = nullptr;
  cursor = &no_slot;
  it_now = 0;
  attention = ending = violated = after_run = event_register = time_observed = false;
  set_fpu_enabled(false);
  programs_flash = false;
  on_main_stack = true;
  passing_until_pc = false;
  started = false;
  deferred.clear();
  deadline = kNever;
  instructions = skipped = exceptions = asleep = repeated = history_count = 0;
  loop = {};
  fault.reset();
  faults.clear();
  flash_bytes.clear();
  trap_division = trap_alignment = false;
  privileged = true;
  hz_since_cycle = 0;
  seconds_before = 0;
  self_branch_runs = text_seen = 0;
  console_tail.clear();
  current_layer.reset();
  exit_code = 0;
  stack_top = stack_lowest = sp & ~3u;
  stack_limit = program.stack_limit();
  const MemoryRegion* stack_memory = memory.find(sp - 4, 4);
  stack_floor = stack_memory ? stack_memory->region.base : 0;
}

void Machine::Core::end(EndReason why, std::string text, uint32_t pc) {
  if (ending) return;
  ending = true;
  look_soon();
  reason = why;
  message = std::move(text);
  end_pc = pc;
  if (why != EndReason::strict_violation) end_data.reset();
}

void Machine::Core::end_with_fault(std::string text, uint32_t pc, std::optional<uint32_t> data) {
  end(EndReason::fault, std::move(text), pc);
  end_data = data;
}

// WFI and WFE: time passes until something wakes the core.
void Machine::Core::sleep(bool is_wfe, uint32_t resume) {
  resume_pc = resume;
  if (is_wfe && event_register) {
    event_register = false;
    return;
  }
  bus.poll();
  while (nvic.next_ignoring_primask(static_cast<uint8_t>(engine.reg(UC_ARM_REG_BASEPRI))) == 0) {
    deadline = bus.next_event();
    if (deadline == kNever) {
      end(EndReason::wait_forever, fmt::format("{} with nothing that could wake the core",
                                               is_wfe ? "WFE" : "WFI"), resume);
      return;
    }
    const uint64_t before = time_now();
    if (deadline > before) {
      const uint64_t cycles = deadline - before;
      time_observed = true;
      if (sink != nullptr)
        sink->control({trace::Control::What::sleep, static_cast<uint32_t>(cycles),
                       {static_cast<uint32_t>(cycles >> 32), 0}});
      if (time_now() < deadline) asleep += deadline - time_now();   // no clock, or one that ignores it
    }
    bus.run_events(time_now());
    bus.poll();
  }
  deadline = bus.next_event();
  look_soon();
}

// The engine came back although nobody here asked for it.
void Machine::Core::interpret_stop(uc_err error) {
  const BlockPlan* plan = open_;
  if (error == UC_ERR_OK || error == UC_ERR_INSN_INVALID) {
    if (plan != nullptr && (plan->traits & (kEndsInWfi | kEndsInWfe | kEndsInYield))) {
      const uint32_t next = plan->end();
      close_block();
      if (ending) {
        resume_pc = next;
        return;
      }
      if (plan->traits & kEndsInYield) resume_pc = next;
      else sleep((plan->traits & kEndsInWfe) != 0, next);
      return;
    }
  }
  if (error == UC_ERR_INSN_INVALID) {
    if (plan == nullptr) {            // Arm code: the block was never opened
      const uint32_t target = engine.reg(UC_ARM_REG_PC);
      constexpr uint32_t kInvalidState = 1u << 17;
      return undefined(kInvalidState, fmt::format("jump to 0x{:08x} without the Thumb bit", target),
                       target, last_retired(target));
    }
    const uint32_t last = plan->instructions - 1;
    const uint32_t pc = plan->block->instructions[last].address;
    close_partly(last);
    return undefined(1u << 16, "undefined instruction", pc, pc);
  }
  end_with_fault(fmt::format("the engine stopped: {}", uc_strerror(error)),
                 open_ ? open_->address : resume_pc);
  open_ = nullptr;
}

RunResult Machine::Core::run() {
  if (!loaded) throw Error("machine: run before load");
  ending = false;
  broken_law.reset();
  end_data.reset();
  attention = nvic.any_pending();
  plan_next_look();
  if (!started) {
    started = true;
    if (sink != nullptr) {
      using What = trace::Control::What;
      sink->control({What::core_hz, static_cast<uint32_t>(clocks_now.core_hz), {0, 0}});
      sink->control({What::axi_hz, static_cast<uint32_t>(clocks_now.axi_hz), {0, 0}});
      sink->control({What::flash_wait_states, reset_clocks(board).flash_wait_states, {0, 0}});
    }
  }
  while (!ending) {
    const uc_err error = engine.start(resume_pc);
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
    if (broken_law) throw std::logic_error("internal check failed: engine events: " + *broken_law);
    if (!ending && !fault) interpret_stop(error);
    if (!ending && fault) take_fault();
  }
  if (open_ != nullptr) close_block();
  flush_deferred();
  return result(history_count);
}

std::string Machine::Core::where(uint32_t pc) const {
  std::string text = fmt::format("at {}", program.describe(pc));
  uint16_t half[2];
  if (memory.contains(pc, 4)) {
    memory.read(pc, {reinterpret_cast<uint8_t*>(half), 4});
    const bool wide = (half[0] & 0xF800) >= 0xE800;
    try {
      const auto decoded = Decoder().decode(
          pc, {reinterpret_cast<const uint8_t*>(half), wide ? size_t{4} : size_t{2}});
      if (!decoded.instructions.empty())
        text += fmt::format(" `{}`", decoded.instructions.front().text);
    } catch (const Error&) {
      // The address alone has to do for bytes that are no instruction.
    }
  }
  if (current_layer) text += fmt::format(", layer {}", *current_layer);
  return text;
}

RunResult Machine::Core::result(uint64_t history_end) {
  RunResult out;
  out.reason = reason;
  out.exit_code = exit_code;
  out.pc = end_pc;
  out.data_address = end_data;
  const bool needs_place = reason != EndReason::exited && reason != EndReason::until_pc &&
                           reason != EndReason::until_text;
  out.message = needs_place ? fmt::format("{}, {}", message, where(end_pc)) : message;
  out.instructions = instructions;
  out.skipped = skipped;
  out.block_runs = history_count;
  out.repeated = repeated;
  out.faults = faults;
  out.exceptions = exceptions;
  out.time_observed = time_observed;
  for (uint64_t back = 0; back < kHistory && back < history_end; ++back) {
    const Retired& run = history[(history_end - 1 - back) % kHistory];
    for (uint32_t i = run.count; i-- > 0 && out.last.size() < options.history;) {
      const Instruction& instruction = run.plan->block->instructions[i];
      out.last.push_back({instruction.address, instruction.text});
    }
  }
  std::reverse(out.last.begin(), out.last.end());
  return out;
}

}  // namespace mcusim
