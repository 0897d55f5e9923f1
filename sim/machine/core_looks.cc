// SPDX-License-Identifier: MIT
// What happens between blocks when it is time to look: events, interrupts, the end of the
// run, and waiting loops, of which the engine need not run every round.
#include <algorithm>

#include "memmap/base/error.h"
#include "sim/machine/core.h"

namespace mcusim {

void Machine::Core::plan_next_look() {
  clocked_deadline = clock != nullptr && deadline != kNever;
  check_at = attention ? 0 : options.max_instructions;
  if (clock == nullptr && deadline != kNever)     // a cycle is an instruction
    check_at = std::min(check_at, deadline > asleep ? deadline - asleep : 0);
}

bool Machine::Core::intervene(uint32_t address) {
  if (!attention && instructions < options.max_instructions && time_now() < deadline) {
    if (clocked_deadline) watch_loop(address);
    plan_next_look();
    return false;
  }
  loop.phase = LoopWatch::Phase::idle;
  if (self_branch_runs == 2 && !ending) {
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
    ++self_branch_runs;          // once, until it has been left
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
  plan_next_look();
  if (taken && ending) {             // entry itself failed
    resume_pc = address;
    engine.stop();
  }
  return taken;
}

// Every block boundary while an event of the clock is awaited comes by here. A loop is
// known once two rounds began and ended with equal registers and memory, touched no
// device and ran the same way: then only an event can end it.
void Machine::Core::watch_loop(uint32_t address) {
  using Phase = LoopWatch::Phase;
  if (loop.phase == Phase::idle) {
    if (loop.pause > 0) {
      --loop.pause;
      return;
    }
    if (!options.skip_waiting || options.fast || it_now != 0) return;
    loop.start(address, history_count, exceptions);
    read_registers(loop.registers);
    return;
  }
  const Retired& last = history[(history_count - 1) % kHistory];
  const bool follows = history_count == ++loop.seen && exceptions == loop.exceptions &&
                       last.count == last.plan->instructions;
  const std::span<const trace::Access> seen(accesses.data(), access_end);
  if (!follows || !loop.step(*last.plan, seen, skipped_mask, memory)) return loop.give_up();
  if (address != loop.head || it_now != 0) return;
  // The end of a round, if it was the whole of one.
  uint32_t registers[LoopWatch::kRegisters];
  read_registers(registers);
  if (!std::equal(std::begin(registers), std::end(registers), loop.registers))
    return loop.give_up();
  if (loop.phase == Phase::first) {
    loop.begin_second(memory);
    loop.skipped = skipped;
    loop.began = time_now();
    return;
  }
  if (!loop.round_is_whole() || loop.memory_changed(memory)) return loop.give_up();
  skip_rounds();
}

void Machine::Core::read_registers(uint32_t (&registers)[LoopWatch::kRegisters]) const {
  for (int i = 0; i < 15; ++i) registers[i] = engine.reg(Engine::core_register(i));
  registers[15] = engine.reg(UC_ARM_REG_XPSR);
}

// Lets rounds pass that end before the next event and before the budget.
void Machine::Core::skip_rounds() {
  const uint64_t skipped_each = skipped - loop.skipped, cost = time_now() - loop.began;
  uint64_t instructions_each = 0;
  for (const auto& step : loop.steps) instructions_each += step.plan->instructions;
  const std::vector<trace::BlockRun> runs = loop.runs();
  const auto pass = [&](uint64_t rounds) {
    if (sink != nullptr) sink->repeat(runs, rounds);
    instructions += rounds * instructions_each;
    skipped += rounds * skipped_each;
    repeated += rounds * instructions_each;
    const uint64_t blocks = rounds * runs.size(), kept = std::min<uint64_t>(blocks, kHistory);
    history_count += blocks - kept;
    for (uint64_t i = 0; i < kept; ++i) {
      const BlockPlan* plan = loop.steps[(blocks - kept + i) % runs.size()].plan;
      history[history_count++ % kHistory] = {plan, plan->instructions};
    }
  };
  const auto rounds_left = [&](uint64_t round_cycles) {
    const uint64_t now = time_now();
    const uint64_t by_time = now < deadline ? (deadline - now - 1) / round_cycles : 0;
    const uint64_t by_budget = (options.max_instructions - instructions - 1) / instructions_each;
    return std::min(by_time, by_budget);
  };
  // A round may still cost more than the last one: far more than this it cannot.
  const uint64_t at_most = 8 * cost + 128 * runs.size();
  loop.finish(runs.size());
  for (int attempt = 0; attempt < 4 && rounds_left(at_most) > 0; ++attempt) {
    pass(1);
    const uint64_t each = clock->steady_cycles();
    if (each == 0) continue;
    if (const uint64_t rounds = rounds_left(each)) pass(rounds);
    return;
  }
}

}  // namespace mcusim
