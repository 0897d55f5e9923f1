// SPDX-License-Identifier: MIT
#include "sim/run/profile.h"

#include <algorithm>
#include <map>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

// Far above any container's operator count; a mark beyond it is not ours.
constexpr uint32_t kMaxLayers = 65536;

void add(Profile::Share& share, Cause cause, uint64_t cycles) {
  share.cycles += cycles;
  share.causes[static_cast<size_t>(cause)] += cycles;
}

}  // namespace

Profile::Share& Profile::open_share() {
  if (open_layer_ >= 0) return layers_[static_cast<size_t>(open_layer_)];
  return any_layer_ ? between_ : startup_;
}

void Profile::timed(const TimedRun& run) {
  const uint32_t id = run.block->id;
  if (id >= blocks_.size()) blocks_.resize(std::max<size_t>(id + 1, blocks_.size() * 2));
  BlockShare& block = blocks_[id];
  if (block.block == nullptr) {
    block.block = run.block;
    block.instructions.resize(run.block->instructions.size());
  }
  Share& share = open_share();
  uint64_t parts_cycles = 0;
  for (const auto& part : run.parts) {
    add(block.instructions[part.instruction], part.cause, part.cycles);
    share.causes[static_cast<size_t>(part.cause)] += part.cycles;
    total_.causes[static_cast<size_t>(part.cause)] += part.cycles;
    parts_cycles += part.cycles;
  }
  check(parts_cycles == run.cycles, "a block's cycles equal the sum of its parts");
  share.cycles += run.cycles;
  total_.cycles += run.cycles;
  const uint32_t retired = run.run->instructions;
  for (uint32_t i = 0; i < retired; ++i) ++block.instructions[i].instructions;
  share.instructions += retired;
  total_.instructions += retired;
  for (const auto& access : run.run->accesses) share.data_bytes += access.bytes;
}

void Profile::mark(const trace::Mark& mark, uint64_t) {
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

std::vector<report::Function> Profile::functions(const NameOf& name_of) const {
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
  std::vector<report::Function> out;
  for (auto& [key, function] : by_symbol)
    if (function.instructions || function.cycles) out.push_back(std::move(function));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.cycles > b.cycles; });
  return out;
}

void Profile::for_each_instruction(const std::function<void(const Instruction&, const Share&)>& visit) const {
  for (const auto& block : blocks_)
    for (size_t i = 0; i < block.instructions.size(); ++i)
      visit(block.block->instructions[i], block.instructions[i]);
}

std::vector<trace::AddressCost> Profile::address_costs() const {
  std::map<uint32_t, trace::AddressCost> by_address;
  auto add_cost = [&](uint32_t address, const Share& share) {
    if (share.instructions == 0 && share.cycles == 0) return;
    auto& cost = by_address[address];
    cost.address = address;
    cost.instructions += share.instructions;
    cost.cycles += share.cycles;
  };
  add_cost(0, exceptions_);
  for (const auto& block : blocks_)
    for (size_t i = 0; i < block.instructions.size(); ++i)
      add_cost(block.block->instructions[i].address, block.instructions[i]);
  std::vector<trace::AddressCost> out;
  for (const auto& [address, cost] : by_address) out.push_back(cost);
  return out;
}

}  // namespace mcusim
