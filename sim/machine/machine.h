// SPDX-License-Identifier: MIT
// The machine: a Cortex-M7 board that runs a program and says what it retired.
//
// It knows nothing of time but the Clock it is given (without one a cycle is an
// instruction). Everything the guest does is delivered to one RetiredSink, per
// finished block run. The engine (Unicorn) is hidden here, one per process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memmap/board.h"
#include "sim/decode/instruction.h"
#include "sim/loader/program.h"
#include "sim/timing/estimator.h"
#include "traces/events.h"

namespace mcusim {

// Which reads of RAM that nobody wrote are a fault. `granule` tolerates what
// compiled C does (struct padding, strlen by double words): it faults when the
// whole aligned 8-byte granule was never written. `exact` faults on any byte.
enum class UnwrittenReads { off, granule, exact };

struct MachineOptions {
  bool strict = true;      // the checks of sim/machine/strict.h
  UnwrittenReads unwritten_reads = UnwrittenReads::granule;  // under `strict`
  bool fast = false;       // blocks only: no accesses, no strict checks, no high-water marks
  uint64_t max_instructions = UINT64_MAX;
  std::string until_text;  // end when the console has shown this text ...
  uint32_t until_text_count = 1;             // ... so many times
  std::optional<uint32_t> until_pc;
  // Rounds of a loop that only waits for an event of the clock are counted and timed, not
  // executed (core_looks.cc); every total is the same. Not under `fast`, not while tracing.
  bool skip_waiting = true;
  bool semihosting = true;
  std::string semihosting_directory;         // host files only under it; empty: none
  std::string command_line;                  // SYS_GET_CMDLINE
  std::function<void(std::string_view)> console;   // semihosting, ITM port 0 and USART output
  std::function<std::optional<uint8_t>()> uart_input;  // next byte for the receivers, if any
  bool uart_input_without_interrupt = false; // offer bytes though RXNEIE is off (polling images)
  uint32_t history = 16;                     // instructions kept for RunResult::last
};

enum class EndReason {
  exited,             // the guest ended itself; exit_code is its own
  budget,             // max_instructions
  until_pc,
  until_text,
  fault,              // the core or the engine could not go on
  strict_violation,   // a board would go on, wrongly
  breakpoint,         // BKPT that is not semihosting
  wait_forever,       // WFI or WFE with nothing that could wake it
  self_branch,        // endless empty loop that no interrupt can leave
  system_reset,       // AIRCR.SYSRESETREQ
};
const char* end_reason_name(EndReason reason);
inline bool is_failure(EndReason reason) {
  return reason == EndReason::fault || reason == EndReason::strict_violation;
}

struct RetiredInstruction {
  uint32_t address = 0;
  std::string text;
};

struct RunResult {
  EndReason reason = EndReason::exited;
  int exit_code = 0;
  std::string message;                    // one line: what, where (symbol), in which layer
  uint32_t pc = 0;                        // of the instruction that ended the run
  std::optional<uint32_t> data_address;   // of the access, for memory faults
  std::vector<RetiredInstruction> last;   // oldest first; the one at `pc` is not among them
  uint64_t instructions = 0;              // retired since reset, IT-skipped ones included
  uint64_t skipped = 0;                   // loads and stores skipped inside IT blocks
  uint64_t block_runs = 0;
  uint64_t repeated = 0;                  // of `instructions`: rounds of waiting loops passed over
  uint64_t exceptions = 0;                // entries
  std::vector<std::string> faults;        // the first that went to a handler of the guest
  bool time_observed = false;             // the guest read a clock or took a timed interrupt
};

// What the guest touched in a memory region (host loads and writes do not count).
struct RegionUse {
  std::string region;
  uint32_t base = 0, size_bytes = 0;
  uint64_t bytes_read = 0, bytes_written = 0, bytes_touched = 0;  // distinct bytes
  uint32_t lowest = 0, end = 0;           // touched range [lowest, end); both 0 when untouched
};

struct StackUse {
  uint32_t top = 0;                       // initial main stack pointer
  uint32_t lowest = 0;                    // lowest stack pointer or stack access seen
  std::optional<uint32_t> limit;          // of the program's stack-limit symbol
  uint32_t used_bytes() const { return top - lowest; }
};

// One word of peripheral space that the guest touched, at its first touch.
struct PeripheralTouch {
  uint32_t address = 0;
  std::string device;                     // empty: plain read-back storage
  uint32_t first_block = 0;               // address of the block that touched it
  uint32_t first_value = 0;
  bool first_is_write = false;
};

class Machine {
 public:
  Machine(const Board& board, MachineOptions options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Both may be nullptr. Before run(); they must outlive it.
  void attach(trace::RetiredSink* sink, const Clock* clock);

  // Writes the segments and takes the vector table; throws Error when a segment
  // lies outside the board's memory or the table is not one. Implies reset().
  void load(const Program& program);
  void reset();     // core and devices; memory keeps its contents

  // Runs until something ends it. May be called again after budget (raise it
  // first), until_pc, until_text or breakpoint: goes on where it stopped.
  RunResult run();
  void set_max_instructions(uint64_t count);
  void set_until_pc(std::optional<uint32_t> address);

  // Host access: no events, no touch marks; written bytes count as initialised.
  std::vector<uint8_t> read_memory(uint32_t address, uint32_t bytes) const;  // throws Error
  uint32_t read_word(uint32_t address) const;
  void write_memory(uint32_t address, std::span<const uint8_t> bytes);       // throws Error
  uint32_t core_register(int number) const;   // 0..15

  const DecodedBlock& block(uint32_t id) const;   // ids as in the event stream, from 0
  uint32_t block_count() const;

  std::vector<RegionUse> region_use() const;
  bool touched(uint32_t address) const;           // by the guest
  StackUse stack_use() const;
  std::vector<PeripheralTouch> peripheral_touches() const;  // in order of first touch
  std::optional<uint32_t> layer() const;          // operator index of the last begin mark
  uint64_t core_hz() const;                       // as the guest's clock registers say
  uint64_t instructions() const;

  struct Core;      // sim/machine/core.h

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace mcusim
