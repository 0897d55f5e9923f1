// SPDX-License-Identifier: MIT
// The public face of the machine; everything happens in Machine::Core.
#include "sim/machine/machine.h"

#include "memmap/base/error.h"
#include "sim/machine/core.h"

namespace mcusim {

const char* end_reason_name(EndReason reason) {
  switch (reason) {
    case EndReason::exited: return "exited";
    case EndReason::budget: return "budget";
    case EndReason::until_pc: return "until_pc";
    case EndReason::until_text: return "until_text";
    case EndReason::fault: return "fault";
    case EndReason::strict_violation: return "strict_violation";
    case EndReason::breakpoint: return "breakpoint";
    case EndReason::wait_forever: return "wait_forever";
    case EndReason::self_branch: return "self_branch";
    case EndReason::system_reset: return "system_reset";
  }
  return "?";
}

Machine::Machine(const Board& board, MachineOptions options)
    : core_(std::make_unique<Core>(board, std::move(options))) {
  if (core_->options.until_pc) set_until_pc(core_->options.until_pc);
}
Machine::~Machine() = default;

void Machine::attach(trace::RetiredSink* sink, const Clock* clock) {
  core_->sink = sink;
  core_->clock = clock;
}
void Machine::load(const Program& program) { core_->load(program); }
void Machine::reset() { core_->reset(); }
RunResult Machine::run() { return core_->run(); }
void Machine::set_max_instructions(uint64_t count) { core_->options.max_instructions = count; }

void Machine::set_until_pc(std::optional<uint32_t> address) {
  if (address) *address &= ~1u;
  core_->options.until_pc = address;
  core_->passing_until_pc = false;
  if (!address) return;
  const uc_cb_hookcode_t callback = [](uc_engine*, uint64_t at, uint32_t, void* self) {
    Core* core = static_cast<Core*>(self);
    core->guarded([&] { core->reached_until_pc(static_cast<uint32_t>(at)); });
  };
  core_->engine.hook(UC_HOOK_CODE, reinterpret_cast<void*>(callback), core_.get(), *address,
                     *address);
  core_->engine.forget_code(*address, 2);
}

std::vector<uint8_t> Machine::read_memory(uint32_t address, uint32_t bytes) const {
  if (!core_->memory.contains(address, bytes))
    throw Error("memory: {} bytes at 0x{:08x}: outside the board's memory", bytes, address);
  std::vector<uint8_t> out(bytes);
  core_->memory.read(address, out);
  return out;
}

uint32_t Machine::read_word(uint32_t address) const {
  uint32_t word = 0;
  core_->memory.read(address, {reinterpret_cast<uint8_t*>(&word), 4});
  return word;
}

void Machine::write_memory(uint32_t address, std::span<const uint8_t> bytes) {
  core_->memory.write(address, bytes);
  // Translations and block plans of rewritten code are stale.
  if (!bytes.empty())
    core_->engine.forget_code(address, static_cast<uint32_t>(bytes.size()));
  core_->forget_plans();
}

uint32_t Machine::core_register(int number) const {
  return core_->engine.reg(Engine::core_register(number));
}

const DecodedBlock& Machine::block(uint32_t id) const { return core_->table.at(id); }
uint32_t Machine::block_count() const { return static_cast<uint32_t>(core_->table.size()); }

std::vector<RegionUse> Machine::region_use() const {
  std::vector<RegionUse> uses;
  for (const auto& memory : core_->memory.regions()) {
    const ShadowCounts counts = count_touched(memory);
    RegionUse use;
    use.region = memory.region.name;
    use.base = memory.region.base;
    use.size_bytes = memory.region.size_bytes;
    use.bytes_read = counts.read;
    use.bytes_written = counts.written;
    use.bytes_touched = counts.touched;
    if (counts.touched != 0) {
      use.lowest = use.base + counts.lowest;
      use.end = use.base + counts.end;
    }
    uses.push_back(use);
  }
  return uses;
}

bool Machine::touched(uint32_t address) const {
  const uint8_t* shadow = core_->memory.shadow(address);
  return shadow != nullptr && (*shadow & (kShadowRead | kShadowWritten)) != 0;
}

StackUse Machine::stack_use() const {
  return {core_->stack_top, core_->stack_lowest, core_->stack_limit};
}

std::vector<PeripheralTouch> Machine::peripheral_touches() const {
  std::vector<PeripheralTouch> touches;
  for (const auto& touch : core_->bus.first_touches())
    touches.push_back({touch.address, touch.device ? touch.device->name() : "", touch.block,
                       touch.value, touch.is_write});
  return touches;
}

std::optional<uint32_t> Machine::layer() const { return core_->current_layer; }
uint64_t Machine::core_hz() const { return core_->clocks_now.core_hz; }
uint64_t Machine::instructions() const { return core_->instructions; }

}  // namespace mcusim
