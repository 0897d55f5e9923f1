// SPDX-License-Identifier: MIT
// What layers and call stacks of a run depend on besides its stream: carried by a
// recorded window (trace::WindowStart::context).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/decode/instruction.h"

namespace mcusim {

struct CallFrame {
  uint32_t function = 0;            // first address
  uint32_t call_site = 0;           // 0 for entry by interrupt or reset
  uint32_t return_address = 0;
  bool is_interrupt = false;
};

// An instruction and the address behind it; none after a flush.
struct Executed {
  std::optional<Instruction> last;  // facts of control flow only
  uint32_t end = 0;
};

// Outermost frame first.
struct CallStack {
  std::vector<CallFrame> frames;
  Executed last;
  std::vector<Executed> interrupted;  // what runs on when the interrupts return, outermost first
  bool interrupt_pending = false;
};

struct RunContext {
  int32_t open_layer = -1;          // operator index
  bool any_layer = false;           // one began before
  CallStack calls;
};

std::vector<uint8_t> to_bytes(RunContext context);
RunContext run_context_from_bytes(std::span<const uint8_t> bytes);   // throws Error

}  // namespace mcusim
