// SPDX-License-Identifier: MIT
// Hooks other than the hot path: interrupts the engine raises (BKPT, SVC, exception
// return), invalid accesses, device ranges; and what devices ask of the machine.
#include "sim/machine/core.h"

#include "memmap/base/error.h"

namespace mcusim {
namespace {

// Numbers of UC_HOOK_INTR on the Cortex-M7 model (unicorn.md 5.2, 5.4).
constexpr uint32_t kIntrSvc = 2, kIntrPrefetchAbort = 3, kIntrBkpt = 7, kIntrExceptionExit = 8;
constexpr uint32_t kSemihostingImmediate = 0xAB;

template <typename Callback>
void* as_hook(Callback callback) {
  return reinterpret_cast<void*>(callback);
}

}  // namespace

void Machine::Core::install_hooks() {
  for (auto& region : memory.regions())
    engine.map(region.region.base, region.region.size_bytes, region.region.writable,
               region.region.executable, region.bytes.get());
  const uc_cb_mmio_read_t peripheral_read = [](uc_engine*, uint64_t offset, unsigned size,
                                               void* self) -> uint64_t {
    return static_cast<Core*>(self)->device_read(0x40000000 + static_cast<uint32_t>(offset), size);
  };
  const uc_cb_mmio_write_t peripheral_write = [](uc_engine*, uint64_t offset, unsigned size,
                                                 uint64_t value, void* self) {
    static_cast<Core*>(self)->device_write(0x40000000 + static_cast<uint32_t>(offset), size,
                                           static_cast<uint32_t>(value));
  };
  const uc_cb_mmio_read_t system_read = [](uc_engine*, uint64_t offset, unsigned size,
                                           void* self) -> uint64_t {
    return static_cast<Core*>(self)->device_read(0xE0000000 + static_cast<uint32_t>(offset), size);
  };
  const uc_cb_mmio_write_t system_write = [](uc_engine*, uint64_t offset, unsigned size,
                                             uint64_t value, void* self) {
    static_cast<Core*>(self)->device_write(0xE0000000 + static_cast<uint32_t>(offset), size,
                                           static_cast<uint32_t>(value));
  };
  for (const auto& region : board.regions)
    if (region.kind == RegionKind::peripheral) {
      if (region.base != 0x40000000)
        throw Error("board {}: region {}: peripherals start at 0x40000000", board.name, region.name);
      engine.map_io(region.base, region.size_bytes, peripheral_read, peripheral_write, this);
    }
  engine.map_io(0xE0000000, 0x100000, system_read, system_write, this);   // every core has its PPB

  const uc_cb_hookcode_t block = [](uc_engine*, uint64_t address, uint32_t size, void* self) {
    Core* core = static_cast<Core*>(self);
    core->guarded([&] { core->enter_block(static_cast<uint32_t>(address), size); });
  };
  engine.hook(UC_HOOK_BLOCK, as_hook(block), this);
  if (!options.fast) {
    const uc_cb_hookmem_t on_access = [](uc_engine*, uc_mem_type type, uint64_t address, int size,
                                      int64_t, void* self) {
      Core* core = static_cast<Core*>(self);
      core->guarded([&] {
        core->access(type == UC_MEM_WRITE, static_cast<uint32_t>(address),
                     static_cast<uint32_t>(size));
      });
    };
    engine.hook(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, as_hook(on_access), this);
  }
  const uc_cb_eventmem_t invalid = [](uc_engine*, uc_mem_type type, uint64_t address, int size,
                                      int64_t value, void* self) {
    Core* core = static_cast<Core*>(self);
    return core->guarded([&] {
      if (type == UC_MEM_WRITE_PROT &&
          core->programmed(static_cast<uint32_t>(address), static_cast<uint32_t>(size),
                           static_cast<uint64_t>(value)))
        return true;
      return core->invalid_access(type, static_cast<uint32_t>(address),
                                  static_cast<uint32_t>(size));
    });
  };
  engine.hook(UC_HOOK_MEM_INVALID, as_hook(invalid), this);
  const uc_cb_hookintr_t intr = [](uc_engine*, uint32_t number, void* self) {
    Core* core = static_cast<Core*>(self);
    core->guarded([&] { core->interrupt(number); });
  };
  engine.hook(UC_HOOK_INTR, as_hook(intr), this);
}

void Machine::Core::interrupt(uint32_t number) {
  const uint32_t pc = engine.reg(UC_ARM_REG_PC);
  if (open_ != nullptr) close_block();
  if ((number == kIntrPrefetchAbort || number == kIntrExceptionExit) && pc >= kFirstExcReturn) {
    leave_exception(pc | 1);      // not LR: POP {PC} leaves something else there
  } else if (number == kIntrBkpt) {
    uint32_t word = 0;
    memory.try_read_word(pc & ~3u, word);
    const uint32_t immediate = word >> (pc & 2 ? 16 : 0) & 0xFF;
    if (immediate != kSemihostingImmediate || !options.semihosting) {
      end(EndReason::breakpoint, fmt::format("breakpoint BKPT {}", immediate), pc);
      resume_pc = pc + 2;
      engine.stop();
      return;
    }
    time_observed |= engine.reg(UC_ARM_REG_R0) == 0x10 || engine.reg(UC_ARM_REG_R0) == 0x30;
    const auto outcome = semihosting.call(engine.reg(UC_ARM_REG_R0), engine.reg(UC_ARM_REG_R1));
    engine.set_reg(UC_ARM_REG_R0, outcome.result);
    engine.set_reg(UC_ARM_REG_PC, (pc + 2) | 1);
    resume_pc = pc + 2;
    if (outcome.fault) end_with_fault(*outcome.fault, pc);
    if (outcome.exit_code) {
      exit_code = *outcome.exit_code;
      const uint32_t running = nvic.current();
      if (running >= kHardFault && running <= kUsageFault && !faults.empty())
        end_with_fault(fmt::format("{}, whose handler exited with code {}", last_fault.text, exit_code),
                       last_fault.culprit, last_fault.address);
      else
        end(EndReason::exited, fmt::format("exit code {}", exit_code), pc);
    }
    if (ending) engine.stop();
  } else if (number == kIntrSvc) {
    nvic.set_pending(kSvCall, true);
    if (!take_pending(pc)) {
      nvic.set_pending(kSvCall, false);
      undefined(0, "SVC while its priority is masked escalates to HardFault", pc - 2, pc - 2);
      fault->exception = kHardFault;
      engine.stop();
    }
  } else if (number == kIntrPrefetchAbort) {
    end(EndReason::strict_violation,
        fmt::format("jump to memory that cannot execute, at 0x{:08x}", pc), last_retired(pc));
    engine.stop();
  } else {
    end_with_fault(fmt::format("processor exception {} of the engine", number), pc);
    engine.stop();
  }
}

// The instruction that jumped away; `otherwise` when nothing ran yet.
uint32_t Machine::Core::last_retired(uint32_t otherwise) const {
  if (history_count == 0) return otherwise;
  const Retired& last = history[(history_count - 1) % kHistory];
  return last.count == 0 ? otherwise : last.plan->block->instructions[last.count - 1].address;
}

void Machine::Core::reached_until_pc(uint32_t address) {
  if (!options.until_pc || *options.until_pc != address || ending) return;
  if (passing_until_pc) {
    passing_until_pc = false;
    return;
  }
  end(EndReason::until_pc, fmt::format("reached {}", program.describe(address)), address);
  if (open_ == nullptr) return;
  const auto& list = open_->block->instructions;
  uint32_t index = 0;
  while (index < list.size() && list[index].address != address) ++index;
  if (index < list.size() && list[index].in_it_block) {
    look_soon();                      // a stop inside IT would come late: at the next block
    return;
  }
  close_partly(index);
  resume_pc = address;
  passing_until_pc = true;
  engine.stop();
}

void Machine::Core::settle_flash() {
  for (const auto& [address, byte] : flash_bytes) memory.write(address, {&byte, 1});
  flash_bytes.clear();
}

uint32_t Machine::Core::device_read(uint32_t address, unsigned bytes) {
  settle_flash();
  return guarded([&] { return bus.read(address, bytes, open_ ? open_->address : 0); });
}

void Machine::Core::device_write(uint32_t address, unsigned bytes, uint32_t value) {
  guarded([&] {
    settle_flash();
    bus.write(address, bytes, value, open_ ? open_->address : 0);
    if (nvic.any_pending()) look_soon();
  });
}

void Machine::Core::keep_exception() noexcept {
  if (!thrown) thrown = std::current_exception();
  ending = true;
  open_ = nullptr;
  cursor = &no_slot;
  look_soon();
  engine.stop();
}

void Machine::Core::flush_deferred() {
  if (sink != nullptr)
    for (const auto& event : deferred) {
      if (event.is_mark) sink->mark(event.mark);
      else sink->control(event.control);
    }
  deferred.clear();
}

// Exact to the instruction: the access event came before the device was asked.
uint64_t Machine::Core::now() {
  uint64_t time = time_now();
  if (open_ != nullptr && access_end > accesses.data()) {
    const uint32_t instruction = access_end[-1].instruction;
    const std::span<const trace::Access> so_far(accesses.data(), access_end);
    time += clock ? clock->ahead(*open_->block, so_far, instruction) : instruction;
  }
  return time;
}

void Machine::Core::control(trace::Control::What what, uint32_t value, uint32_t extra0,
                            uint32_t extra1) {
  Deferred event;
  event.control = {what, value, {extra0, extra1}};
  deferred.push_back(event);
  after_run = true;
}

void Machine::Core::mark(uint32_t port, uint32_t value) {
  if (port == trace::kLayerBegin) current_layer = value;
  Deferred event;
  event.is_mark = true;
  event.mark = {port, value};
  deferred.push_back(event);
  after_run = true;
}

void Machine::Core::console(char character) {
  if (options.console) options.console({&character, 1});
  if (options.until_text.empty()) return;
  console_tail += character;
  if (console_tail.size() > options.until_text.size()) console_tail.erase(0, 1);
  if (console_tail != options.until_text || ++text_seen < options.until_text_count) return;
  if (ending) return;
  text_seen = 0;
  end(EndReason::until_text, fmt::format("the console showed the text {} times",
                                         options.until_text_count),
      open_ ? open_->address : resume_pc);
}

std::optional<uint8_t> Machine::Core::input() {
  return options.uart_input ? options.uart_input() : std::nullopt;
}

void Machine::Core::pend(uint32_t exception) {
  nvic.set_pending(exception, true);
  if (nvic.any_pending()) look_soon();
}

void Machine::Core::set_line(uint32_t number, bool high) {
  nvic.set_line(number, high);
  if (nvic.any_pending()) look_soon();
}

void Machine::Core::events_changed() {
  deadline = bus.next_event();
  plan_next_look();
}

void Machine::Core::request_reset() {
  if (ending) return;
  end(EndReason::system_reset, "the firmware asked for a system reset (AIRCR.SYSRESETREQ)",
      open_ ? open_->address : resume_pc);
}

void Machine::Core::set_clocks(const Clocks& changed) {
  if (changed == clocks_now) return;
  bus.clocks_changing();
  seconds_before = seconds();
  hz_since_cycle = time_now();
  using What = trace::Control::What;
  if (changed.core_hz != clocks_now.core_hz)
    control(What::core_hz, static_cast<uint32_t>(changed.core_hz), 0, 0);
  if (changed.axi_hz != clocks_now.axi_hz)
    control(What::axi_hz, static_cast<uint32_t>(changed.axi_hz), 0, 0);
  clocks_now = changed;
  events_changed();
}

void Machine::Core::erase_flash(uint32_t address, uint32_t bytes) {
  memory.write(address, std::vector<uint8_t>(bytes, 0xFF));
  engine.forget_code(address, bytes);
  code_written = after_run = true;
}

// Stores to flash clear bits.
bool Machine::Core::programmed(uint32_t address, uint32_t size, uint64_t value) {
  const MemoryRegion* region = memory.find(address, size);
  if (!programs_flash || region == nullptr || region->region.kind != RegionKind::flash) return false;
  uint8_t bytes[8];
  memory.read(address, {bytes, size});
  // The engine stores the value all the same; the bits it set are cleared at the next access
  // to a device or at the end of the block.
  for (uint32_t i = 0; i < size; ++i)
    flash_bytes.emplace_back(address + i, bytes[i] & static_cast<uint8_t>(value >> 8 * i));
  engine.forget_code(address, size);
  code_written = after_run = true;
  return true;
}

double Machine::Core::seconds() {
  return seconds_before +
         static_cast<double>(time_now() - hz_since_cycle) / static_cast<double>(clocks_now.core_hz);
}

}  // namespace mcusim
