// SPDX-License-Identifier: MIT
#include "sim/run/profile.h"

#include <algorithm>
#include <map>

#include "memmap/base/error.h"
#include "sim/run/run_context.h"

namespace mcusim {
namespace {

void add(Profile::Share& share, Cause cause, uint64_t cycles) {
  share.cycles += cycles;
  share.causes[static_cast<size_t>(cause)] += cycles;
}

}  // namespace

Profile::Share& Profile::open_share() const {
  if (open_layer_ >= 0) return layers_[static_cast<size_t>(open_layer_)];
  return any_layer_ ? between_ : startup_;
}

Profile::BlockShare& Profile::share_of(const DecodedBlock& block) const {
  if (block.id >= blocks_.size())
    blocks_.resize(std::max<size_t>(block.id + 1, blocks_.size() * 2));
  BlockShare& share = blocks_[block.id];
  if (share.block == nullptr) {
    share.block = &block;
    share.instructions.resize(block.instructions.size());
  }
  return share;
}

uint64_t Profile::add_runs(const DecodedBlock& block, std::span<const InstructionCycles> parts,
                           uint32_t retired, uint64_t runs) const {
  auto& instructions = share_of(block).instructions;
  Share& share = open_share();
  uint64_t cycles = 0;
  for (const auto& part : parts) {
    for (Share* to : {&instructions[part.instruction], &share, &total_})
      add(*to, part.cause, part.cycles * runs);
    cycles += part.cycles;
  }
  for (uint32_t i = 0; i < retired; ++i) instructions[i].instructions += runs;
  share.instructions += retired * runs;
  total_.instructions += retired * runs;
  return cycles;
}

void Profile::spread() const {
  for (const size_t index : waiting_) {
    Repeated& repeated = repeated_[index];
    add_runs(*repeated.block, repeated.parts,
             static_cast<uint32_t>(repeated.block->instructions.size()), repeated.runs);
    repeated.runs = 0;
  }
  waiting_.clear();
}

Profile::Repeated* Profile::counted(const TimedRun& run, uint64_t times) {
  if (run.schedule < first_repeated_) return nullptr;   // 0 as well
  if (run.schedule - first_repeated_ >= kMaxRepeated) {
    spread();
    repeated_.clear();
    first_repeated_ = run.schedule;
  }
  const size_t index = run.schedule - first_repeated_;
  if (index >= repeated_.size()) repeated_.resize(std::max(index + 1, repeated_.size() * 2));
  Repeated& found = repeated_[index];
  if (found.block == nullptr) {
    const auto parts = run.parts.first(run.schedule_parts);
    found.block = run.block;
    found.parts.assign(parts.begin(), parts.end());
    for (const auto& part : parts) found.cycles += part.cycles;
  }
  if (found.runs == 0) waiting_.push_back(index);
  found.runs += times;
  return &found;
}

void Profile::timed(const TimedRun& run) { add_timed(run, 1); }

void Profile::repeated(std::span<const TimedRun> loop, uint64_t times, uint64_t) {
  for (const TimedRun& run : loop) add_timed(run, times);
}

void Profile::add_timed(const TimedRun& run, uint64_t times) {
  uint64_t cycles = 0;
  if (const Repeated* found = counted(run, times)) {
    cycles = found->cycles;
    if (const auto stalls = run.parts.subspan(run.schedule_parts); !stalls.empty())
      cycles += add_runs(*run.block, stalls, 0, times);
  } else {
    cycles = add_runs(*run.block, run.parts, run.run->instructions, times);
  }
  check(cycles == run.cycles, "a block's cycles equal the sum of its parts");
  uint64_t bytes = 0;
  for (const auto& access : run.run->accesses) bytes += access.bytes;
  open_share().data_bytes += bytes * times;
}

void Profile::mark(const trace::Mark& mark, uint64_t) {
  spread();
  if (mark.port == trace::kLayerBegin && mark.value < kMaxLayers) {
    if (mark.value >= layers_.size()) layers_.resize(mark.value + 1);
    open_layer_ = static_cast<int>(mark.value);
    any_layer_ = true;
  } else if (mark.port == trace::kLayerEnd) {
    open_layer_ = -1;
  }
}

void Profile::exception(const trace::Exception& exception, uint64_t, uint64_t cycles) {
  const Cause cause = exception.entry ? Cause::exception_entry : Cause::exception_exit;
  for (Share* share : {&open_share(), &total_, &exceptions_}) add(*share, cause, cycles);
}

void Profile::slept(uint64_t, uint64_t cycles) {
  for (Share* share : {&open_share(), &total_, &asleep_}) add(*share, Cause::sleep, cycles);
}

void Profile::window_start(const trace::WindowStart& start) {
  const RunContext context = run_context_from_bytes(start.context);
  spread();
  open_layer_ = context.open_layer;
  any_layer_ = context.any_layer;
  if (open_layer_ >= static_cast<int>(layers_.size())) layers_.resize(static_cast<size_t>(open_layer_) + 1);
}

std::vector<report::Function> Profile::functions(const NameOf& name_of) const {
  spread();
  std::map<std::pair<uint32_t, std::string>, report::Function> by_symbol;
  auto add_to = [&](const std::string& name, uint32_t address, const Share& share) {
    auto& function = by_symbol[{address, name}];
    function.name = name;
    function.address = address;
    function.instructions += share.instructions;
    function.cycles += share.cycles;
    for (size_t i = 0; i < kCauseCount; ++i) function.causes[i] += share.causes[i];
  };
  for (const auto& block : blocks_) {
    for (size_t i = 0; i < block.instructions.size(); ++i) {
      const auto [name, address] = name_of(block.block->instructions[i].address);
      add_to(name, address, block.instructions[i]);
    }
  }
  if (exceptions_.cycles) add_to("(exception entry and return)", 0, exceptions_);
  if (asleep_.cycles) add_to("(asleep)", 0, asleep_);
  std::vector<report::Function> out;
  for (auto& [key, function] : by_symbol)
    if (function.instructions || function.cycles) out.push_back(std::move(function));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.cycles > b.cycles; });
  return out;
}

void Profile::for_each_block(const std::function<void(const DecodedBlock&, std::span<const Share>)>& visit) const {
  spread();
  for (const auto& block : blocks_)
    if (block.block) visit(*block.block, block.instructions);
}

void Profile::for_each_instruction(const std::function<void(const Instruction&, const Share&)>& visit) const {
  for_each_block([&](const DecodedBlock& block, std::span<const Share> shares) {
    for (size_t i = 0; i < shares.size(); ++i) visit(block.instructions[i], shares[i]);
  });
}

std::vector<trace::AddressCost> Profile::address_costs() const {
  spread();
  std::map<uint32_t, trace::AddressCost> by_address;
  auto add_cost = [&](uint32_t address, const Share& share) {
    if (share.instructions == 0 && share.cycles == 0) return;
    auto& cost = by_address[address];
    cost.address = address;
    cost.instructions += share.instructions;
    cost.cycles += share.cycles;
  };
  add_cost(0, exceptions_);
  add_cost(0, asleep_);
  for (const auto& block : blocks_)
    for (size_t i = 0; i < block.instructions.size(); ++i)
      add_cost(block.block->instructions[i].address, block.instructions[i]);
  std::vector<trace::AddressCost> out;
  for (const auto& [address, cost] : by_address) out.push_back(cost);
  return out;
}

}  // namespace mcusim
