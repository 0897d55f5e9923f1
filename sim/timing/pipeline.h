// SPDX-License-Identifier: MIT
// The core pipeline as a state machine over instructions: in-order dual issue with
// early and late ALU, one step per instruction. The state carries everything across
// block borders, so where the engine cuts blocks cannot show (law 3).
//
// Cache misses, store buffers and buses are not here: they freeze the pipeline from
// outside (memory_system.h). Times are relative to the cycle of the last issue.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/decode/instruction.h"
#include "sim/timing/timing_table.h"

namespace mcusim::timing {

inline constexpr int kRegisters = 52;

struct Operand {
  uint8_t reg;
  Use use;
};
struct Target {
  uint8_t reg;
  Result result;
  uint8_t delay;  // issue cycles after the first in which it is made (LDM)
};

// Static facts of one instruction, from its table row.
struct Op {
  uint32_t address = 0;
  uint32_t slots = 0;
  uint32_t first_operand = 0, first_target = 0;
  uint16_t operands = 0, targets = 0;
  uint8_t bytes = 2, cycles = 1;
  uint8_t words = 0;
  uint8_t below = 0, above = 0;   // range of `cycles` when guessed or data dependent
  Cause cause = Cause::structural;
  bool is_load = false, is_store = false, is_fused = false, is_fp_load_store = false;
};

struct Ops {
  std::vector<Op> ops;
  std::vector<Operand> operands;
  std::vector<Target> targets;
};
Ops build_ops(const DecodedBlock& block);

// How control reached the first instruction of a block.
enum class Entry : uint8_t {
  sequential,
  taken,
  mispredicted,
  mispredicted_early,
  redirected,
  flushed
};
inline constexpr int kEntries = 6;

struct PipeState {
  std::array<uint8_t, kRegisters> kind{};  // Result of the youngest writer, none when long ready
  std::array<int8_t, kRegisters> age{};    // cycles since it issued
  uint32_t older = 0;        // slot bits of the older instruction, while `used` is 1
  uint8_t used = 2;          // issue slots used in the current cycle: 1 or 2
  uint8_t ahead = 0;         // 64-bit fetch entries beyond the current one
  uint8_t blocked = 1;       // the next cycle may start this many cycles on
  uint8_t blocked_cause = 0;
  uint8_t narrow = 0;        // 16-bit opcodes since the last taken branch, at most 2
  uint8_t compression = 0;   // cycles left in which two 16-bit opcodes avoid a fetch stall
  uint8_t fp_mac_age = 15;   // cycles since the last single-precision MAC, saturated
  uint8_t fp_mac_bits = 0;   // 1: it was chained (VMLA); 2: it stood in another's shadow
  uint8_t older_load = 0;    // 1: load, 2: its bank (address bit 2), 4: unaligned
  uint8_t flags_late = 0;    // flags were set less than 3 cycles before the last branch
  uint8_t padding[2] = {0, 0};  // states are hashed as bytes
  bool operator==(const PipeState&) const = default;
};
// Whether evaluate() may start from a state that comes from outside.
bool is_valid(const PipeState& state);

// What varied in the accesses of up to 64 instructions: bit i = instruction i.
struct Variation {
  uint64_t bank = 0;       // address bit 2 of loads that stand beside a load
  uint64_t unaligned = 0;  // unaligned single access; store multiple not on 8 bytes
  bool operator==(const Variation&) const = default;
};

struct Schedule {
  PipeState exit;
  uint32_t below = 0, above = 0;         // what guessed issue cycles may take off or add
  uint32_t cycles = 0;                   // from the last issue before to the last issue within
  std::vector<InstructionCycles> parts;  // instruction = index in the block
  std::vector<uint32_t> issue;           // per instruction: issue cycle after entry
};

// Schedules instructions [first, last) of a block; `redirect_cycles` prices Entry::redirected.
Schedule evaluate(const Ops& ops, size_t first, size_t last, const PipeState& state, Entry entry,
                  const Variation& variation, int redirect_cycles);

}  // namespace mcusim::timing
