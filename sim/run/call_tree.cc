// SPDX-License-Identifier: MIT
#include "sim/run/call_tree.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim {

CallTree::CallTree(NameOf name_of, SliceListener* listener)
    : name_of_(std::move(name_of)), listener_(listener) {
  profile_.functions.push_back({"(root)", 0});
  profile_.nodes.push_back({});
}

uint32_t CallTree::function_at(uint32_t address) {
  const auto [name, start] = name_of_(address);
  const auto [found, is_new] = function_of_start_.try_emplace(start, static_cast<uint32_t>(profile_.functions.size()));
  if (is_new) profile_.functions.push_back({name, start});
  return found->second;
}

uint32_t CallTree::child(uint32_t parent, uint32_t function, uint32_t call_site) {
  auto& candidates = children_[uint64_t{parent} << 32 | function];
  for (uint32_t node : candidates)
    if (profile_.nodes[node].call_site == call_site) return node;
  const auto node = static_cast<uint32_t>(profile_.nodes.size());
  profile_.nodes.push_back({function, parent, call_site});
  candidates.push_back(node);
  return node;
}

void CallTree::push(uint32_t function, uint32_t call_site, uint32_t return_address, bool is_interrupt,
                    uint64_t cycle) {
  if (stack_.size() >= kMaxDepth) return;
  const uint32_t node = child(stack_.empty() ? 0 : stack_.back().node, function, call_site);
  ++profile_.nodes[node].calls;
  enter({node, return_address, is_interrupt}, cycle);
}

void CallTree::enter(const Frame& frame, uint64_t cycle) {
  stack_.push_back(frame);
  if (listener_) listener_->enter(profile_.functions[profile_.nodes[frame.node].function].name, cycle);
}

void CallTree::pop_to(size_t depth, uint64_t cycle) {
  while (stack_.size() > depth) {
    stack_.pop_back();
    if (listener_) listener_->leave(cycle);
  }
}

// Brings the stack in line with the block that is about to be charged.
void CallTree::settle(const DecodedBlock& block, const BlockFacts& facts, uint64_t cycle) {
  if (stack_.empty() || interrupt_pending_) {
    push(facts.function, 0, 0, interrupt_pending_, cycle);
    interrupt_pending_ = false;
    return;
  }
  const bool fell_through = last_ == nullptr || block.address == last_end_;
  if (last_ && last_->is_call && (!fell_through || facts.is_entry)) {
    push(facts.function, last_->address, last_end_, false, cycle);
    return;
  }
  if (!fell_through && last_->is_branch) {
    for (size_t depth = stack_.size(); depth-- > 0 && !stack_[depth].is_interrupt;)
      if (stack_[depth].return_address == block.address) {
        pop_to(depth, cycle);
        return;
      }
  }
  const Frame top = stack_.back();
  if (profile_.nodes[top.node].function == facts.function) return;
  // Another function without a call: a tail call, or code that runs on into it.
  const uint32_t call_site = profile_.nodes[top.node].call_site;
  const bool is_interrupt = top.is_interrupt;
  pop_to(stack_.size() - 1, cycle);
  push(facts.function, call_site, top.return_address, is_interrupt, cycle);
}

void CallTree::timed(const TimedRun& run) {
  const DecodedBlock& block = *run.block;
  if (block.id >= blocks_.size()) blocks_.resize(std::max<size_t>(block.id + 1, blocks_.size() * 2));
  BlockFacts& facts = blocks_[block.id];
  if (!facts.known) {
    facts.function = function_at(block.address);
    facts.is_entry = profile_.functions[facts.function].address == block.address;
    facts.known = true;
  }
  settle(block, facts, run.start_cycle);
  trace::CallNode& node = profile_.nodes[stack_.back().node];
  node.self_cycles += run.cycles;
  node.self_instructions += run.run->instructions;
  profile_.cycles += run.cycles;
  profile_.instructions += run.run->instructions;
  now_ = run.start_cycle + run.cycles;
  if (run.run->instructions > 0) {
    last_ = &block.instructions[run.run->instructions - 1];
    last_end_ = last_->address + last_->bytes;
  }
}

void CallTree::charge(uint64_t start_cycle, uint64_t cycles) {
  if (stack_.empty()) push(function_at(0), 0, 0, false, start_cycle);
  profile_.nodes[stack_.back().node].self_cycles += cycles;
  profile_.cycles += cycles;
  now_ = start_cycle + cycles;
}

void CallTree::slept(uint64_t start_cycle, uint64_t cycles) { charge(start_cycle, cycles); }

CallStack CallTree::stack() const {
  const auto executed = [](const Instruction* last, uint32_t end) {
    return Executed{last ? std::optional(*last) : std::nullopt, end};
  };
  CallStack out;
  for (const Frame& frame : stack_) {
    const trace::CallNode& node = profile_.nodes[frame.node];
    out.frames.push_back({profile_.functions[node.function].address, node.call_site, frame.return_address,
                          frame.is_interrupt});
  }
  out.last = executed(last_, last_end_);
  for (const Resume& resume : interrupted_) out.interrupted.push_back(executed(resume.last, resume.last_end));
  out.interrupt_pending = interrupt_pending_;
  return out;
}

bool CallTree::on_stack(uint32_t function_address) const {
  return std::any_of(stack_.begin(), stack_.end(), [&](const Frame& frame) {
    return profile_.functions[profile_.nodes[frame.node].function].address == function_address;
  });
}

// Frames that stand when a window begins were called before it: no call is counted.
void CallTree::window_start(const trace::WindowStart& start) {
  const CallStack calls = run_context_from_bytes(start.context).calls;
  pop_to(0, now_);
  now_ = start.cycle;
  for (const CallFrame& frame : calls.frames)
    enter({child(stack_.empty() ? 0 : stack_.back().node, function_at(frame.function), frame.call_site),
           frame.return_address, frame.is_interrupt}, now_);
  const auto kept = [&](const Executed& executed) -> const Instruction* {
    return executed.last ? &before_window_.emplace_back(*executed.last) : nullptr;
  };
  before_window_.clear();
  last_ = kept(calls.last);
  last_end_ = calls.last.end;
  interrupted_.clear();
  for (const Executed& executed : calls.interrupted) interrupted_.push_back({kept(executed), executed.end});
  interrupt_pending_ = calls.interrupt_pending;
}

void CallTree::exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) {
  charge(start_cycle, cycles);
  if (exception.entry) {
    interrupt_pending_ = true;
    if (interrupted_.size() < kMaxDepth) interrupted_.push_back({last_, last_end_});
    last_ = nullptr;  // the handler neither follows nor is called by what ran before
  } else {
    size_t depth = stack_.size();
    while (depth > 0 && !stack_[depth - 1].is_interrupt) --depth;
    if (depth > 0) pop_to(depth - 1, start_cycle + cycles);
    interrupt_pending_ = false;
    const Resume resume = interrupted_.empty() ? Resume{nullptr, 0} : interrupted_.back();
    if (!interrupted_.empty()) interrupted_.pop_back();
    last_ = resume.last;
    last_end_ = resume.last_end;
  }
}

trace::CallProfile CallTree::finish(uint64_t cycle, std::vector<trace::AddressCost> costs) {
  pop_to(0, cycle);
  for (auto& cost : costs) cost.function = cost.address == 0 ? 0 : function_at(cost.address);
  profile_.costs = std::move(costs);
  return std::move(profile_);
}

}  // namespace mcusim
