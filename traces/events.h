// SPDX-License-Identifier: MIT
// The event vocabulary: what the machine retires, before anyone knows its time.
//
// Order of a stream: `block_defined` once per id before its first run; then runs,
// marks, control events and exceptions in program order. A run says what one
// translation block did; its accesses are in program order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim::trace {

// One data access as the bus sees it (an LDM of n words is n accesses).
struct Access {
  uint32_t address;
  uint8_t bytes;        // 1, 2, 4, 8
  bool is_write;
  uint16_t instruction; // index within the block
};

// A block of straight code as the engine translated it, and its bytes.
struct BlockInfo {
  uint32_t id = 0;
  uint32_t address = 0;
  // ITSTATE at the first instruction: the engine cuts blocks at 1 KiB lines, even
  // inside an IT block. 0 nearly always.
  uint8_t it_state = 0;
  std::vector<uint8_t> code;
};

struct BlockRun {
  uint32_t block = 0;
  // Instructions retired from the start of the block; less than the block's
  // count when an exception, a stop or a fault cut it short.
  uint32_t instructions = 0;
  std::span<const Access> accesses;
  // Bit i set: instruction i sat in an IT block with a false condition. Only
  // loads and stores are reported (others cannot be told apart and cost the same).
  uint64_t skipped = 0;
};

// A store to ITM stimulus port 1 to 31 (port 0 is console text).
// Port kLayerBegin/kLayerEnd carry the operator index of the network.
struct Mark {
  uint32_t port = 0;
  uint32_t value = 0;
};
inline constexpr uint32_t kLayerBegin = 1;
inline constexpr uint32_t kLayerEnd = 2;

// Guest actions that change timing from here on.
struct Control {
  enum class What : uint8_t {
    icache_enable, dcache_enable,      // value 0 or 1
    icache_invalidate_all, dcache_invalidate_line, dcache_clean_line,
    dcache_clean_invalidate_line,      // value: address or set/way word
    core_hz, axi_hz, flash_wait_states,
    mpu_region,                        // value: region index; attributes follow in extra
    branch_predictor_invalidate,
    sleep,                             // WFI/WFE: value + extra[0] * 2^32 cycles asleep
  };
  What what{};
  uint32_t value = 0;
  uint32_t extra[2] = {0, 0};
};

struct Exception {
  bool entry = true;       // false: return
  uint32_t number = 0;     // 15 = SysTick, 16 + n = interrupt n
  uint32_t frame_bytes = 0;
};

// What came before was left out: a recorded window of a run begins here. Only
// recordings have it; a live stream is whole.
struct WindowStart {
  uint64_t instructions = 0;            // retired before it
  uint64_t cycle = 0;
  std::span<const uint8_t> estimator;   // its state, as it wrote it (sim/timing/state.h)
  std::span<const uint8_t> context;     // open layer and call stack (sim/run/run_context.h)
};

class RetiredSink {
 public:
  virtual ~RetiredSink() = default;
  virtual void block_defined(const BlockInfo&) = 0;
  virtual void run(const BlockRun&) = 0;
  // The same runs, so many times over: a loop that waits and changes nothing.
  virtual void repeat(std::span<const BlockRun> loop, uint64_t times) {
    for (uint64_t i = 0; i < times; ++i)
      for (const BlockRun& block_run : loop) run(block_run);
  }
  virtual void mark(const Mark&) = 0;
  virtual void control(const Control&) = 0;
  virtual void exception(const Exception&) = 0;
  virtual void window_start(const WindowStart&) {}
};

}  // namespace mcusim::trace
