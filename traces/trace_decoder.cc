// SPDX-License-Identifier: MIT
#include "memmap/base/error.h"
#include "traces/trace_codec.h"

namespace mcusim::trace {
namespace {

uint32_t unzigzag(uint64_t value) {
  return static_cast<uint32_t>(value >> 1) ^ (0u - static_cast<uint32_t>(value & 1));
}

}  // namespace

void EventDecoder::corrupt(const std::string& what) const {
  throw Error("{}: corrupt event stream at decoded byte {}: {}", name_, consumed_ + next_, what);
}

uint64_t EventDecoder::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (next_ >= chunk_.size()) corrupt("an event is cut off");
    const uint8_t byte = chunk_[next_++];
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (!(byte & 0x80)) return value;
  }
  corrupt("an integer is too long");
}

uint64_t EventDecoder::bounded(uint64_t limit, const char* what) {
  const uint64_t value = varint();
  if (value > limit) corrupt(fmt::format("{} {} (at most {})", what, value, limit));
  return value;
}

void EventDecoder::decode(std::span<const uint8_t> chunk, RetiredSink& sink) {
  chunk_ = chunk;
  next_ = 0;
  last_predicted_ = UINT32_MAX;
  while (next_ < chunk_.size()) {
    const uint64_t symbol = varint(), argument = symbol >> 2;
    switch (static_cast<Symbol>(symbol & 3)) {
      case Symbol::event: event(argument, sink); break;
      case Symbol::predicted:
      case Symbol::surprising: {
        if (argument >= blocks_.size()) corrupt(fmt::format("run of undefined block {}", argument));
        const auto block = static_cast<uint32_t>(argument);
        if ((symbol & 3) == static_cast<uint64_t>(Symbol::surprising)) surprising(block, sink);
        else predicted(block, sink);
        break;
      }
      case Symbol::repeat:
        if (last_predicted_ == UINT32_MAX) corrupt("nothing to repeat");
        if (argument > kMaxRepeat) corrupt(fmt::format("{} repeats (at most {})", argument, kMaxRepeat));
        for (uint64_t i = 0; i < argument; ++i) predicted(last_predicted_, sink);
        break;
    }
  }
  consumed_ += chunk_.size();
}

void EventDecoder::event(uint64_t kind, RetiredSink& sink) {
  switch (kind) {
    case static_cast<uint64_t>(EventKind::block_defined): define(sink); return;
    case static_cast<uint64_t>(EventKind::mark): {
      const auto port = static_cast<uint32_t>(bounded(31, "stimulus port"));
      sink.mark({port, static_cast<uint32_t>(bounded(UINT32_MAX, "mark value"))});
      return;
    }
    case static_cast<uint64_t>(EventKind::control): {
      Control control;
      control.what = static_cast<Control::What>(bounded(static_cast<uint64_t>(Control::What::sleep), "control"));
      for (uint32_t* word : {&control.value, &control.extra[0], &control.extra[1]})
        *word = static_cast<uint32_t>(bounded(UINT32_MAX, "control value"));
      sink.control(control);
      return;
    }
    case static_cast<uint64_t>(EventKind::exception): {
      Exception exception;
      exception.entry = bounded(1, "exception direction") == 1;
      exception.number = static_cast<uint32_t>(bounded(511, "exception number"));
      exception.frame_bytes = static_cast<uint32_t>(bounded(4096, "exception frame"));
      sink.exception(exception);
      return;
    }
    case static_cast<uint64_t>(EventKind::window_start): window_start(sink); return;
    default: corrupt(fmt::format("unknown event {}", kind));
  }
}

void EventDecoder::define(RetiredSink& sink) {
  if (blocks_.size() >= kMaxBlocks) corrupt("too many blocks");
  BlockInfo info;
  info.id = static_cast<uint32_t>(blocks_.size());
  info.address = static_cast<uint32_t>(bounded(UINT32_MAX, "block address"));
  info.it_state = static_cast<uint8_t>(bounded(255, "ITSTATE"));
  const auto code = bytes(kMaxBlock_bytes, "block");
  info.code.assign(code.begin(), code.end());
  blocks_.emplace_back();
  sink.block_defined(info);
}

void EventDecoder::window_start(RetiredSink& sink) {
  WindowStart start;
  start.instructions = varint();
  start.cycle = varint();
  start.estimator = bytes(kMaxState_bytes, "estimator state");
  start.context = bytes(kMaxState_bytes, "context");
  sink.window_start(start);
}

// A size and as many bytes.
std::span<const uint8_t> EventDecoder::bytes(uint64_t limit, const char* what) {
  const uint64_t size = bounded(limit, what);
  if (size > chunk_.size() - next_) corrupt(fmt::format("a {} is cut off", what));
  next_ += size;
  return chunk_.subspan(next_ - size, size);
}

void EventDecoder::predicted(uint32_t block, RetiredSink& sink) {
  const BlockMemory& memory = blocks_[block];
  if (!memory.seen) corrupt(fmt::format("block {} runs as before, but never ran", block));
  accesses_ = memory.accesses;
  for (size_t i = 0; i < accesses_.size(); ++i) accesses_[i].address = memory.predicted_address(i);
  emit(block, {block, memory.instructions, accesses_, memory.skipped}, sink);
  last_predicted_ = block;
}

void EventDecoder::surprising(uint32_t block, RetiredSink& sink) {
  const BlockMemory& memory = blocks_[block];
  BlockRun run{block, memory.instructions, {}, memory.skipped};
  if (bounded(1, "run form") == static_cast<uint64_t>(RunForm::moved)) {
    if (!memory.seen) corrupt(fmt::format("block {} moves, but never ran", block));
    const uint64_t moved = varint();
    accesses_ = memory.accesses;
    if (accesses_.size() < 64 && moved >> accesses_.size()) corrupt("an access moves that is not there");
    for (size_t i = 0; i < accesses_.size(); ++i) {
      accesses_[i].address = memory.predicted_address(i);
      if (i < 64 && (moved >> i & 1)) accesses_[i].address += unzigzag(bounded(UINT32_MAX, "address step"));
    }
  } else {
    run.instructions = static_cast<uint32_t>(bounded(kMaxBlock_bytes / 2, "instruction count"));
    run.skipped = varint();
    const uint64_t count = bounded(kMaxAccessesPerRun, "access count");
    accesses_.clear();
    uint32_t address = 0;
    for (uint64_t i = 0; i < count; ++i) {
      address += unzigzag(bounded(UINT32_MAX, "address step"));
      const uint64_t kind = bounded(UINT64_C(0xFFFF) << 5 | 31, "access kind");
      const auto bytes = static_cast<uint8_t>(kind >> 1 & 15);
      if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) corrupt(fmt::format("access of {} bytes", bytes));
      accesses_.push_back({address, bytes, (kind & 1) != 0, static_cast<uint16_t>(kind >> 5)});
    }
  }
  run.accesses = accesses_;
  emit(block, run, sink);
  last_predicted_ = UINT32_MAX;
}

void EventDecoder::emit(uint32_t block, const BlockRun& run, RetiredSink& sink) {
  ++runs_;
  sink.run(run);
  blocks_[block].remember(run);
}

}  // namespace mcusim::trace
