// SPDX-License-Identifier: MIT
#include "sim/machine/loop_watch.h"

#include <algorithm>

namespace mcusim {
namespace {

constexpr uint64_t kShortPause = 16, kFirstPause = 1024, kLongestPause = 1 << 16;

bool same(const trace::Access& a, const trace::Access& b) {
  return a.address == b.address && a.bytes == b.bytes && a.is_write == b.is_write &&
         a.instruction == b.instruction;
}

// Whether what a block does is told by core registers and memory alone.
bool is_plain(const BlockPlan& plan) {
  constexpr uint16_t kMore = kChangesSystem | kEndsInWfi | kEndsInWfe | kEndsInYield | kSendsEvent;
  if (plan.traits & kMore) return false;
  return std::none_of(plan.block->instructions.begin(), plan.block->instructions.end(),
                      [](const Instruction& i) {
                        return i.is_fpu || i.is_exclusive || i.mnemonic == "svc" || i.mnemonic == "bkpt";
                      });
}

}  // namespace

void LoopWatch::start(uint32_t address, uint64_t blocks, uint64_t exceptions_now) {
  phase = Phase::first;
  head = address;
  seen = blocks;
  exceptions = exceptions_now;
  steps.clear();
  written.clear();
}

bool LoopWatch::step(const BlockPlan& plan, std::span<const trace::Access> accesses,
                     uint64_t skipped_mask, const Memory& memory) {
  if (phase == Phase::second) {
    if (position == steps.size()) return false;
    const Step& expected = steps[position++];
    return expected.plan == &plan && expected.skipped == skipped_mask &&
           std::equal(accesses.begin(), accesses.end(), expected.accesses.begin(),
                      expected.accesses.end(), same);
  }
  if (steps.size() == kMostSteps || !is_plain(plan)) return false;
  for (const trace::Access& access : accesses) {
    if (memory.shadow(access.address) == nullptr) return false;     // a device
    if (!access.is_write) continue;
    for (uint32_t i = 0; i < access.bytes; ++i) written.emplace_back(access.address + i, uint8_t{0});
  }
  steps.push_back({&plan, {accesses.begin(), accesses.end()}, skipped_mask});
  return true;
}

void LoopWatch::begin_second(const Memory& memory) {
  phase = Phase::second;
  position = 0;
  for (auto& [address, byte] : written) memory.read(address, {&byte, 1});
}

bool LoopWatch::memory_changed(const Memory& memory) const {
  return std::any_of(written.begin(), written.end(), [&](const auto& was) {
    uint8_t byte = 0;
    memory.read(was.first, {&byte, 1});
    return byte != was.second;
  });
}

std::vector<trace::BlockRun> LoopWatch::runs() const {
  std::vector<trace::BlockRun> out;
  for (const Step& step : steps)
    out.push_back({step.plan->id, step.plan->instructions, step.accesses, step.skipped});
  return out;
}

void LoopWatch::give_up() {
  phase = Phase::idle;
  pause = next_pause;
  next_pause = std::min(2 * next_pause, kLongestPause);
}

void LoopWatch::finish(uint64_t blocks_each) {
  phase = Phase::idle;
  pause = kShortPause + 4 * blocks_each;
  next_pause = kFirstPause;
}

}  // namespace mcusim
