// SPDX-License-Identifier: MIT
// The event stream as bytes (docs/trace_format.md): variable-length integers, and a
// prediction per block that makes a loop's next run cost about one byte.
//
// Encoder and decoder keep the same BlockMemory: each block's last run and how far
// each of its addresses moved. A run that continues the pattern is one symbol.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "traces/events.h"

namespace mcusim::trace {

// Low two bits of a symbol; the rest is its argument.
enum class Symbol : uint8_t {
  event = 0,       // argument: EventKind
  predicted = 1,   // argument: block
  surprising = 2,  // argument: block; a RunForm follows
  repeat = 3,      // argument: how many more times the last predicted block runs as predicted
};
enum class EventKind : uint8_t { block_defined = 0, mark = 1, control = 2, exception = 3, window_start = 4 };
enum class RunForm : uint8_t { moved = 0, whole = 1 };  // some addresses moved; everything is spelt out

inline constexpr uint32_t kMaxAccessesPerRun = 4096;   // a block is at most 1 KiB of code
inline constexpr uint32_t kMaxBlocks = 1u << 22;
inline constexpr uint32_t kMaxBlock_bytes = 1024 + 4;
inline constexpr uint32_t kMaxState_bytes = 1u << 20;
inline constexpr uint64_t kMaxRepeat = 1u << 20;        // a few bytes never become an endless replay

// What one block did last, and the step of each address since the time before.
struct BlockMemory {
  uint32_t instructions = 0;
  uint64_t skipped = 0;
  bool seen = false;
  std::vector<Access> accesses;
  std::vector<uint32_t> steps;

  void remember(const BlockRun& run);  // after any run
  bool same_shape(const BlockRun& run) const;
  uint32_t predicted_address(size_t i) const { return accesses[i].address + steps[i]; }
};

class ByteSink {
 public:
  void varint(uint64_t value) {
    while (value >= 0x80) {
      bytes.push_back(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    bytes.push_back(static_cast<uint8_t>(value));
  }
  std::vector<uint8_t> bytes;
};

class EventEncoder {
 public:
  void block_defined(const BlockInfo& info);
  void run(const BlockRun& run);
  void mark(const Mark& mark);
  void control(const Control& control);
  void exception(const Exception& exception);
  void window_start(const WindowStart& start);
  // Encoded bytes so far; the caller takes them away. Ends a pending repeat first.
  std::vector<uint8_t> take();
  size_t size() const { return out_.bytes.size(); }

 private:
  void symbol(Symbol kind, uint64_t argument) { out_.varint(argument << 2 | static_cast<uint64_t>(kind)); }
  void event(EventKind kind);
  void end_repeat();
  void surprising(const BlockRun& run, const BlockMemory& memory);

  ByteSink out_;
  std::vector<BlockMemory> blocks_;
  uint32_t last_predicted_ = UINT32_MAX;
  uint64_t repeats_ = 0;
};

// Decodes chunks in order. Throws Error naming the trace and the byte for anything
// an encoder cannot have written; nothing is trusted.
class EventDecoder {
 public:
  explicit EventDecoder(std::string name) : name_(std::move(name)) {}
  void decode(std::span<const uint8_t> chunk, RetiredSink& sink);
  uint64_t runs() const { return runs_; }

 private:
  uint64_t varint();
  uint64_t bounded(uint64_t limit, const char* what);
  void event(uint64_t kind, RetiredSink& sink);
  void define(RetiredSink& sink);
  void window_start(RetiredSink& sink);
  std::span<const uint8_t> bytes(uint64_t limit, const char* what);
  void predicted(uint32_t block, RetiredSink& sink);
  void surprising(uint32_t block, RetiredSink& sink);
  void emit(uint32_t block, const BlockRun& run, RetiredSink& sink);
  [[noreturn]] void corrupt(const std::string& what) const;

  std::string name_;
  std::span<const uint8_t> chunk_;
  size_t next_ = 0;
  std::vector<BlockMemory> blocks_;
  std::vector<Access> accesses_;
  uint32_t last_predicted_ = UINT32_MAX;
  uint64_t runs_ = 0, consumed_ = 0;
};

}  // namespace mcusim::trace
