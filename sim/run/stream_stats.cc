// SPDX-License-Identifier: MIT
#include "sim/run/stream_stats.h"

#include "sim/run/run_context.h"

namespace mcusim {

StreamStats::StreamStats(const Board& board, const StatsFilter& filter)
    : board_(board), filter_(filter), regions_(board.regions.size() + 1),
      heat_((uint64_t{1} << 32) / kPage_bytes) {}

bool StreamStats::counts(const DecodedBlock& block) {
  if (!open() || !filter_.code) return open();
  if (block.id >= counted_.size()) counted_.resize(block.id + 1);
  Counted& counted = counted_[block.id];
  if (counted == Counted::unknown) counted = filter_.code(block.address) ? Counted::yes : Counted::no;
  return counted == Counted::yes;
}

RegionAccesses& StreamStats::region_of(uint32_t address) {
  if (!last_region_ || !last_region_->contains(address)) {
    last_region_ = board_.find(address);
    const auto index = last_region_ ? static_cast<size_t>(last_region_ - board_.regions.data()) : board_.regions.size();
    last_counts_ = &regions_[index];
  }
  return *last_counts_;
}

void StreamStats::timed(const TimedRun& run) {
  if (counts(*run.block)) {
    profile_.timed(run);
    for (const auto& access : run.run->accesses) {
      RegionAccesses& region = region_of(access.address);
      (access.is_write ? region.writes : region.reads) += 1;
      (access.is_write ? region.written_bytes : region.read_bytes) += access.bytes;
      ++heat_[access.address / kPage_bytes];
    }
    for (const auto& [miss, address] : missed_) {
      RegionAccesses& region = region_of(address);
      ++(miss == Miss::uncached ? region.uncached : miss == Miss::data_fill ? region.data_fills : region.instruction_fills);
    }
  }
  missed_.clear();
}

void StreamStats::mark(const trace::Mark& mark, uint64_t cycle) {
  if (mark.port == trace::kLayerBegin) open_layer_ = mark.value;
  if (mark.port == trace::kLayerEnd) open_layer_.reset();
  profile_.mark(mark, cycle);
}

void StreamStats::exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) {
  if (open() && !filter_.code) profile_.exception(exception, start_cycle, cycles);
}

void StreamStats::slept(uint64_t start_cycle, uint64_t cycles) {
  if (open() && !filter_.code) profile_.slept(start_cycle, cycles);
}

void StreamStats::window_start(const trace::WindowStart& start) {
  profile_.window_start(start);
  open_layer_.reset();
  if (profile_.open_layer() >= 0) open_layer_ = static_cast<uint32_t>(profile_.open_layer());
}

std::map<std::string, RegionAccesses> StreamStats::regions() const {
  std::vector<RegionAccesses> counts = regions_;
  profile_.for_each_instruction([&](const Instruction& instruction, const Profile::Share& share) {
    const Region* region = board_.find(instruction.address);
    counts[region ? static_cast<size_t>(region - board_.regions.data()) : board_.regions.size()].instructions += share.instructions;
  });
  std::map<std::string, RegionAccesses> out;
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i].reads + counts[i].writes + counts[i].instructions)
      out.emplace(i < board_.regions.size() ? board_.regions[i].name : "unmapped", counts[i]);
  return out;
}

std::map<uint32_t, uint64_t> StreamStats::heat() const {
  std::map<uint32_t, uint64_t> out;
  for (size_t page = 0; page < heat_.size(); ++page)
    if (heat_[page]) out.emplace(static_cast<uint32_t>(page * kPage_bytes), heat_[page]);
  return out;
}

std::map<std::string, uint64_t> StreamStats::mnemonics() const {
  std::map<std::string, uint64_t> out;
  profile_.for_each_instruction([&](const Instruction& instruction, const Profile::Share& share) {
    if (share.instructions) out[instruction.mnemonic] += share.instructions;
  });
  return out;
}

}  // namespace mcusim
