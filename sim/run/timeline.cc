// SPDX-License-Identifier: MIT
#include "sim/run/timeline.h"

#include <algorithm>
#include <span>

#include "sim/timing/timing_table.h"

namespace mcusim {
namespace {

constexpr size_t kMostRows = 4000;   // of one capture; a loop around half the program is cut

uint32_t result_cycles(const Instruction& instruction) {
  const auto result = timing::row_of(instruction).result;
  return static_cast<uint32_t>(std::max(1, int{timing::latency(result, timing::Use::late)}));
}

void add(std::vector<CauseStretch>& to, Cause cause, uint32_t cycles) {
  if (cycles == 0) return;
  if (!to.empty() && to.back().cause == cause) to.back().cycles += cycles;
  else to.push_back({cause, cycles});
}

// Splits an instruction's scheduled parts at its issue: `before` cycles end with it.
void split(std::span<const InstructionCycles> parts, uint32_t before, TimelineRow& row) {
  uint32_t passed = 0;
  bool is_issue = before > 0;           // the first cycle is the issue itself
  for (const InstructionCycles& part : parts) {
    uint32_t cycles = part.cycles;
    if (is_issue && cycles > 0) --cycles, ++passed, is_issue = false;
    const uint32_t waited = std::min(cycles, before - std::min(before, passed));
    add(row.waits, part.cause, waited);
    add(row.holds, part.cause, cycles - waited);
    passed += waited;
  }
}

}  // namespace

TimelineCapture::TimelineCapture(const Loop& loop, uint32_t function_first, uint32_t function_end, uint32_t iterations)
    : loop_(loop), function_first_(function_first), function_end_(function_end), wanted_(iterations) {}

void TimelineCapture::timed(const TimedRun& run) {
  if (complete_) return;
  const auto scheduled = run.parts.first(run.issue_parts), frozen = run.parts.subspan(run.issue_parts);
  size_t part = 0;
  uint64_t shift = 0, end = 0;          // frozen cycles so far; when the instruction before is done
  for (uint32_t i = 0; i < run.run->instructions && i < run.issue.size(); ++i) {
    TimelineRow row;
    const size_t first = part;
    uint32_t total = 0;
    for (; part < scheduled.size() && scheduled[part].instruction == i; ++part) total += scheduled[part].cycles;
    const uint64_t issue = run.issue[i], before = issue - std::min<uint64_t>(issue, end);
    split(scheduled.subspan(first, part - first), static_cast<uint32_t>(before), row);
    end = issue + total - std::min<uint64_t>(total, before);
    row.is_paired = before == 0;
    uint64_t held = 0;
    for (const InstructionCycles& freeze : frozen) {
      if (freeze.instruction != i) continue;
      // Bytes that are not there hold an instruction back; all else holds those behind it.
      const bool is_fetch = freeze.cause == Cause::instruction_fetch;
      // One that would have been paired then issues in the last cycle of its wait.
      const bool unpaired = is_fetch && row.is_paired && freeze.cycles > 0;
      add(is_fetch ? row.waits : row.holds, freeze.cause, freeze.cycles - (unpaired ? 1 : 0));
      (is_fetch ? shift : held) += freeze.cycles;
      if (unpaired) row.is_paired = false;
    }
    row.issue_cycle = run.start_cycle + issue + shift;
    shift += held;
    instruction(run.block->instructions[i], std::move(row));
    if (complete_) return;
  }
}

void TimelineCapture::instruction(const Instruction& instruction, TimelineRow row) {
  const uint32_t at = instruction.address;
  if (at == loop_.first) {
    if (heads_++ < loop_.iterations / 2) return;
    if (inside_) {
      ++iteration_;
    } else {
      inside_ = true;
      iteration_ = 0;
    }
    if (iteration_ == wanted_ + 1) return leave();
  } else if (inside_ && (at < loop_.first || at > loop_.last) && at >= function_first_ && at < function_end_) {
    return leave();
  }
  if (!inside_) return;
  row.iteration = iteration_;
  row.address = at;
  row.text = instruction.text;
  row.result_cycles = result_cycles(instruction);
  open_.push_back(std::move(row));
  if (open_.size() >= kMostRows) leave();
}

void TimelineCapture::leave() {
  if (!inside_) return;
  inside_ = false;
  // Iterations begun in this visit; the last one may have been left half-way.
  const uint32_t begun = std::min(iteration_ + (iteration_ == wanted_ + 1 ? 0 : 1), wanted_ + 1);
  if (begun > best_iterations_) best_iterations_ = begun, best_ = open_;
  complete_ = best_iterations_ == wanted_ + 1;
  open_.clear();
}

std::vector<TimelineRow> TimelineCapture::rows() const {
  const bool skip_first = best_iterations_ == wanted_ + 1;
  std::vector<TimelineRow> out;
  for (const auto& row : best_)
    if (!skip_first || row.iteration > 0) out.push_back(row);
  if (out.empty()) return out;
  const uint64_t origin = out.front().issue_cycle;
  for (auto& row : out) {
    row.issue_cycle -= std::min(row.issue_cycle, origin);
    if (skip_first) --row.iteration;
  }
  return out;
}

}  // namespace mcusim
