// SPDX-License-Identifier: MIT
#include "sim/timing/memo.h"

#include <string_view>
#include <type_traits>

namespace mcusim::timing {

// Hashed as bytes: the state has no padding.
static_assert(std::has_unique_object_representations_v<PipeState>);

Memo::Memo() = default;

size_t Memo::Hash::operator()(const PipeState& state) const {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&state), sizeof state});
}

uint32_t Memo::state_id(const PipeState& state) {
  const auto [it, is_new] = ids_.emplace(state, static_cast<uint32_t>(states_.size()));
  if (is_new) states_.push_back(state);
  return it->second;
}

MemoEntry* Memo::add(Segment& segment, uint32_t state, Entry entry, const Variation& variation,
                     Schedule schedule) {
  MemoEntry& made = entries_.emplace_back();
  made.state = state;
  made.entry = entry;
  made.variation = variation;
  made.next_state = state_id(schedule.exit);
  made.late_flags = schedule.exit.flags_late != 0;
  made.schedule = std::move(schedule);
  segment.entries.insert(segment.entries.begin(), &made);
  return &made;
}

void Memo::add_totals(CauseCycles& totals) const {
  for (const MemoEntry& entry : entries_)
    for (const InstructionCycles& part : entry.schedule.parts)
      totals[static_cast<size_t>(part.cause)] += part.cycles * entry.uses;
}

void Memo::add_spread(Spread& spread) const {
  for (const MemoEntry& entry : entries_) {
    spread.below += static_cast<double>(entry.schedule.below) * static_cast<double>(entry.uses);
    spread.above += static_cast<double>(entry.schedule.above) * static_cast<double>(entry.uses);
  }
}

}  // namespace mcusim::timing
