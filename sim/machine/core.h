// SPDX-License-Identifier: MIT
// The inside of Machine: engine, memory, devices and the state of the run. Split over
// core_blocks.cc (block and access hooks, the hot path), core_looks.cc (between blocks:
// events, waiting loops), core_events.cc (interrupts, faults, devices), core_exceptions.cc
// (entry and return), core_faults.cc, core_run.cc (start, end).
//
// Invariants: `open_` is the block being executed, nullptr between blocks; everything
// that changes time or control flow happens between blocks.
#pragma once

#include <deque>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/decode/block_table.h"
#include "sim/devices/board_devices.h"
#include "sim/devices/mpu.h"
#include "sim/machine/block_plan.h"
#include "sim/machine/engine.h"
#include "sim/machine/loop_watch.h"
#include "sim/machine/machine.h"
#include "sim/machine/memory.h"
#include "sim/machine/semihosting.h"

namespace mcusim {

struct Machine::Core final : MachinePort {
  Core(const Board& board_, MachineOptions options_);

  // core_run.cc
  void load(const Program& program);
  void reset();
  RunResult run();
  RunResult result(uint64_t history_end);
  void end(EndReason reason, std::string message, uint32_t pc);
  void end_with_fault(std::string message, uint32_t pc, std::optional<uint32_t> data = {});
  void interpret_stop(uc_err error);
  void sleep(bool is_wfe, uint32_t resume);
  bool vectors_at(uint32_t at, uint32_t& sp, uint32_t& pc) const;   // do they look like some?
  std::string where(uint32_t pc) const;          // "at 0x... <f+0x..> `ldr r0, [r1]`, layer 3"

  // core_blocks.cc
  void enter_block(uint32_t address, uint32_t size);
  void close_block();
  void close_partly(uint32_t retired);           // the open block stopped before `retired`
  void access(bool is_write, uint32_t address, uint32_t size);
  BlockPlan* find_plan(uint32_t address, uint32_t size);
  bool entry_checks(BlockPlan& plan);            // false: the plan is stale
  void forget_plans();
  void unaligned(const Slot& slot, bool is_write, uint32_t address, uint32_t size);
  const Slot* resolve(const Slot* slot, bool is_write, uint32_t size);
  void mark_shadow(uint8_t* shadow, bool is_write, uint32_t address, uint32_t size,
                   const Slot& slot);
  void note_stack(uint32_t address, uint32_t instruction);
  void after_block(const BlockPlan& plan);
  void violation(uint32_t instruction, std::string text, std::optional<uint32_t> data);
  void anchor(uint32_t address);
  void add_anchor_hooks(const BlockPlan& plan);

  // core_events.cc
  void install_hooks();
  void interrupt(uint32_t number);
  uint32_t last_retired(uint32_t otherwise) const;
  void reached_until_pc(uint32_t address);
  uint32_t device_read(uint32_t address, unsigned bytes);
  void device_write(uint32_t address, unsigned bytes, uint32_t value);
  void flush_deferred();
  // Runs hook code so that no exception passes through the engine's frames: it is kept,
  // the engine stops, run() throws it.
  template <typename Action>
  auto guarded(Action action) noexcept -> decltype(action()) {
    try {
      return action();
    } catch (...) {
      keep_exception();
      return decltype(action())();
    }
  }
  void keep_exception() noexcept;
  void look_soon() {
    attention = true;
    check_at = 0;
  }

  // core_looks.cc
  bool intervene(uint32_t address);              // true: the block at `address` does not run
  void plan_next_look();
  void watch_loop(uint32_t address);
  void skip_rounds();
  void read_registers(uint32_t (&registers)[LoopWatch::kRegisters]) const;
  uint64_t time_now() const { return (clock ? clock->now() : instructions) + asleep; }

  // core_faults.cc
  bool invalid_access(uc_mem_type type, uint32_t address, uint32_t size);
  uint32_t accessing(bool is_write, uint32_t address, uint32_t size);
  void deny(uint32_t instruction, uint32_t address, uint32_t exception, uint32_t status,
            std::string text);
  void undefined(uint32_t status, std::string text, uint32_t pc, uint32_t culprit);   // UsageFault
  void take_fault();
  uint32_t fault_exception(uint32_t exception) const;
  uint32_t vector_of(uint32_t exception) const;
  bool only_hangs(uint32_t handler) const;
  bool mpu_grants(uint32_t address, AccessKind kind);
  void forget_rights();
  bool hook_divisions(const BlockPlan& plan);
  void division(uint32_t address);

  // core_exceptions.cc
  bool take_pending(uint32_t return_address);
  bool enter_exception(uint32_t number, uint32_t return_address);
  void leave_exception(uint32_t exc_return);
  bool chain(uint32_t number, uint32_t exc_return);   // tail-chaining
  void read_system_registers();
  void set_privileged(bool now_privileged);

  // MachinePort
  uint64_t now() override;
  void time_shown() override { time_observed = true; }
  void control(trace::Control::What what, uint32_t value, uint32_t extra0,
               uint32_t extra1) override;
  void mark(uint32_t port, uint32_t value) override;
  void console(char character) override;
  std::optional<uint8_t> input() override;
  void pend(uint32_t exception) override;
  void set_line(uint32_t interrupt_number, bool high) override;
  void events_changed() override;
  void request_reset() override;
  void set_fpu_enabled(bool enabled) override;
  void mpu_changed(const MpuState& state) override;
  void set_traps(bool division, bool alignment) override;
  const Clocks& clocks() const override { return clocks_now; }
  void set_clocks(const Clocks& changed) override;
  void program_flash(bool on) override { programs_flash = on; }
  void erase_flash(uint32_t address, uint32_t bytes) override;
  bool programmed(uint32_t address, uint32_t size, uint64_t value);   // a store to flash
  void settle_flash();
  double seconds();                              // simulated, since reset

  Board board;
  MachineOptions options;
  Memory memory;
  Engine engine;
  Bus bus;
  Nvic nvic;
  Semihosting semihosting;
  Program program;
  trace::RetiredSink* sink = nullptr;
  const Clock* clock = nullptr;

  // Blocks.
  static constexpr uint32_t kLookup = 1u << 16;
  BlockTable table;
  std::deque<BlockPlan> plans;                   // by id
  std::vector<BlockPlan*> lookup;                // direct-mapped by address
  std::set<uint32_t> hooked;                     // addresses with an anchor hook

  // The open block.
  BlockPlan* open_ = nullptr;
  const Slot* cursor = nullptr;
  trace::Access* access_end = nullptr;
  const Slot* resume_slot = nullptr;             // after ignored events
  Slot ignore_slots[3], no_slot;
  uint32_t anchored = UINT32_MAX;                // instruction whose anchor fired last
  uint64_t skipped_mask = 0;
  uint32_t skipped_left = 0;
  std::vector<trace::Access> accesses;
  uint8_t it_now = 0;                            // ITSTATE at the next block
  bool code_written = false;

  bool after_run = false;                        // the open run asks for after_block()
  uint16_t entry_mask = 0;                       // traits that need entry_checks()

  // Between blocks.
  // Instruction count at which to look before the next block: budget, deadline, or 0.
  uint64_t check_at = 0;
  bool clocked_deadline = false;                 // a deadline of the attached clock is set
  bool attention = false;                        // something to look at before the next block
  uint64_t deadline = kNever;
  struct Deferred {
    bool is_mark = false;
    trace::Mark mark;
    trace::Control control;
  };
  std::vector<Deferred> deferred;

  // Counts.
  uint64_t instructions = 0, skipped = 0, exceptions = 0, asleep = 0, repeated = 0;
  struct Retired {
    const BlockPlan* plan;
    uint32_t count;
  };
  static constexpr uint32_t kHistory = 64;
  Retired history[kHistory] = {};
  uint64_t history_count = 0;
  LoopWatch loop;

  // Faults.
  struct Fault {
    uint32_t exception = 0, status = 0;          // status: bits of CFSR
    std::optional<uint32_t> address;
    uint32_t pc = 0, culprit = 0;                // stacked; the instruction to blame
    std::string text;
  };
  static constexpr uint32_t kFirstExcReturn = 0xFFFFFFE0;
  static constexpr size_t kKeptFaults = 8;
  Fault last_fault;                              // that went to a handler
  std::optional<Fault> fault;                    // found in a hook, taken when the engine stopped
  uint32_t fault_index = 0;                      // of its instruction, when access() denied it
  const MemoryRegion* closed_region = nullptr;   // for the moment of a denied access
  std::vector<std::string> faults;               // that went to a handler
  MpuState mpu;
  bool mpu_closes = false;                       // the MPU closes some memory to somebody
  bool privileged = true;
  bool trap_division = false, trap_alignment = false;
  std::set<uint32_t> divisions;                  // addresses with a hook
  static constexpr uint32_t kGranted = 1024;
  uint32_t granted[3][kGranted] = {};            // by kind of access: granules known to be open

  // Ending.
  bool ending = false;
  EndReason reason = EndReason::exited;
  std::string message;
  int exit_code = 0;
  uint32_t end_pc = 0;
  std::optional<uint32_t> end_data;
  std::optional<std::string> broken_law;
  std::exception_ptr thrown;
  uint32_t resume_pc = 0, boot_vectors = 0;
  bool loaded = false, started = false;
  bool violated = false;
  uint32_t violation_instruction = 0;
  bool passing_until_pc = false;
  uint32_t self_branch_runs = 0;

  // Guest state worth knowing without asking the engine.
  bool fpu_enabled = false, on_main_stack = true, event_register = false;
  bool time_observed = false;
  uint32_t stack_top = 0, stack_lowest = 0, stack_floor = 0;
  std::optional<uint32_t> stack_limit;
  std::optional<uint32_t> current_layer;
  Clocks clocks_now;
  bool programs_flash = false;
  std::vector<std::pair<uint32_t, uint8_t>> flash_bytes;   // programmed by the open block
  uint64_t hz_since_cycle = 0;
  double seconds_before = 0;
  std::string console_tail;
  uint32_t text_seen = 0;
};

}  // namespace mcusim
