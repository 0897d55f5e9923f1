// SPDX-License-Identifier: MIT
#include "traces/trace_codec.h"

#include <utility>

#include "memmap/base/error.h"

namespace mcusim::trace {
namespace {

uint64_t zigzag(uint32_t difference) {
  const auto value = static_cast<int32_t>(difference);
  return static_cast<uint32_t>(value << 1) ^ static_cast<uint32_t>(value >> 31);
}

bool same_kind(const Access& a, const Access& b) {
  return a.bytes == b.bytes && a.is_write == b.is_write && a.instruction == b.instruction;
}

}  // namespace

void BlockMemory::remember(const BlockRun& run) {
  const size_t count = run.accesses.size();
  const bool same_count = seen && accesses.size() == count;
  steps.resize(count);
  for (size_t i = 0; i < count; ++i) steps[i] = same_count ? run.accesses[i].address - accesses[i].address : 0;
  accesses.assign(run.accesses.begin(), run.accesses.end());
  instructions = run.instructions;
  skipped = run.skipped;
  seen = true;
}

bool BlockMemory::same_shape(const BlockRun& run) const {
  if (!seen || run.instructions != instructions || run.skipped != skipped || run.accesses.size() != accesses.size())
    return false;
  for (size_t i = 0; i < accesses.size(); ++i)
    if (!same_kind(accesses[i], run.accesses[i])) return false;
  return true;
}

void EventEncoder::event(EventKind kind) {
  end_repeat();
  symbol(Symbol::event, static_cast<uint64_t>(kind));
}

void EventEncoder::end_repeat() {
  if (repeats_) symbol(Symbol::repeat, repeats_);
  repeats_ = 0;
}

void EventEncoder::block_defined(const BlockInfo& info) {
  check(info.id == blocks_.size() && info.code.size() <= kMaxBlock_bytes, "block ids are dense and blocks short");
  event(EventKind::block_defined);
  out_.varint(info.address);
  out_.varint(info.it_state);
  out_.varint(info.code.size());
  out_.bytes.insert(out_.bytes.end(), info.code.begin(), info.code.end());
  blocks_.emplace_back();
}

void EventEncoder::run(const BlockRun& run) {
  check(run.block < blocks_.size(), "a block is defined before it runs");
  BlockMemory& memory = blocks_[run.block];
  bool expected = memory.same_shape(run);
  for (size_t i = 0; expected && i < run.accesses.size(); ++i)
    expected = run.accesses[i].address == memory.predicted_address(i);
  if (expected && last_predicted_ == run.block && repeats_ < kMaxRepeat) {
    ++repeats_;
  } else {
    end_repeat();
    if (expected) symbol(Symbol::predicted, run.block);
    else surprising(run, memory);
    last_predicted_ = expected ? run.block : UINT32_MAX;
  }
  memory.remember(run);
}

void EventEncoder::surprising(const BlockRun& run, const BlockMemory& memory) {
  symbol(Symbol::surprising, run.block);
  const size_t count = run.accesses.size();
  if (count <= 64 && memory.same_shape(run)) {
    out_.varint(static_cast<uint64_t>(RunForm::moved));
    uint64_t moved = 0;
    for (size_t i = 0; i < count; ++i)
      if (run.accesses[i].address != memory.predicted_address(i)) moved |= uint64_t{1} << i;
    out_.varint(moved);
    for (size_t i = 0; i < count; ++i)
      if (moved >> i & 1) out_.varint(zigzag(run.accesses[i].address - memory.predicted_address(i)));
    return;
  }
  out_.varint(static_cast<uint64_t>(RunForm::whole));
  out_.varint(run.instructions);
  out_.varint(run.skipped);
  out_.varint(count);
  uint32_t last_address = 0;
  for (const Access& access : run.accesses) {
    out_.varint(zigzag(access.address - last_address));
    out_.varint(uint64_t{access.instruction} << 5 | uint64_t{access.bytes} << 1 | (access.is_write ? 1 : 0));
    last_address = access.address;
  }
}

void EventEncoder::mark(const Mark& mark) {
  event(EventKind::mark);
  out_.varint(mark.port);
  out_.varint(mark.value);
}

void EventEncoder::control(const Control& control) {
  event(EventKind::control);
  out_.varint(static_cast<uint64_t>(control.what));
  for (uint32_t word : {control.value, control.extra[0], control.extra[1]}) out_.varint(word);
}

void EventEncoder::exception(const Exception& exception) {
  event(EventKind::exception);
  out_.varint(exception.entry ? 1 : 0);
  out_.varint(exception.number);
  out_.varint(exception.frame_bytes);
}

void EventEncoder::window_start(const WindowStart& start) {
  event(EventKind::window_start);
  out_.varint(start.instructions);
  out_.varint(start.cycle);
  for (const auto bytes : {start.estimator, start.context}) {
    check(bytes.size() <= kMaxState_bytes, "the state at a window's start is of bounded size");
    out_.varint(bytes.size());
    out_.bytes.insert(out_.bytes.end(), bytes.begin(), bytes.end());
  }
}

std::vector<uint8_t> EventEncoder::take() {
  end_repeat();
  // A repeat may not span chunks: the next one names its block again.
  last_predicted_ = UINT32_MAX;
  return std::exchange(out_.bytes, {});
}

}  // namespace mcusim::trace
