// SPDX-License-Identifier: MIT
// What the hooks need to know of a block, flattened from its decoding: the sequence
// of access events it will cause. The engine's PC is stale inside a block, so events
// are matched to instructions by their order (unicorn.md 5.4 rule 3).
//
// Anchors are accesses whose predecessors may be missing: a predicated access (it may
// be skipped) and the access after a STREX (which may fail without events). A code
// hook on the anchor sets the cursor.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/decode/instruction.h"

namespace mcusim {

enum SlotFlag : uint8_t {
  kSlotPredicated = 1,     // in an IT block: happens only if its anchor fired
  kSlotExclusiveRead = 2,  // STREX: the engine's extra read, dropped
  kSlotIgnore = 4,         // second and third event of a read across a 1 KiB line
  kSlotEnd = 8,            // no further event can come
  kSlotStack = 16,         // addressed by SP
};

// One expected access event.
struct Slot {
  uint16_t instruction = 0;
  uint8_t key = 0;          // bytes, with bit 7 for a write
  uint8_t align_mask = 0;   // address bits that must be 0
  uint8_t flags = 0;
};
inline constexpr uint8_t kWriteKey = 0x80;

// What a block needs beyond counting.
enum Trait : uint16_t {
  kMovesStack = 1,      // SP written other than by its own accesses
  kChangesSystem = 2,   // MSR, CPS: stack choice or masks may differ afterwards
  kEndsInWfi = 4,
  kEndsInWfe = 8,
  kEndsInYield = 16,
  kSendsEvent = 32,     // SEV
  kUsesFpu = 64,        // outside IT
  kInWritableMemory = 128,
  kHasAnchors = 256,
};

struct alignas(64) BlockPlan {
  // Hot: one cache line for the block hook.
  uint64_t key = 0;                  // plan_key() of what the engine announces
  const Slot* first_slot = nullptr;
  uint32_t instructions = 0;
  uint16_t traits = 0;
  uint8_t it_exit = 0;
  bool needs_after = false;          // some trait asks for work after each run
  uint32_t predicated_count = 0;     // loads and stores in IT blocks
  uint32_t id = 0;
  uint64_t predicated_mask = 0;      // of these, instructions 0 to 63
  const DecodedBlock* block = nullptr;

  uint32_t address = 0, bytes = 0;
  uint8_t it_entry = 0;
  bool is_self_branch = false;
  uint16_t first_fpu = 0;            // instruction, with kUsesFpu
  std::vector<Slot> slots;           // ends with a kSlotEnd
  std::vector<std::pair<uint32_t, uint16_t>> anchors;   // instruction address, first slot
  std::vector<uint8_t> code;         // as decoded

  uint32_t end() const { return address + bytes; }
};

inline uint64_t plan_key(uint32_t address, uint32_t bytes, uint8_t it_state) {
  return uint64_t{address} | uint64_t{bytes} << 32 | uint64_t{it_state} << 56;
}

// The plan keeps pointers into itself: it stays where it is made.
void plan_block(BlockPlan& plan, const DecodedBlock& block, std::vector<uint8_t> code);

}  // namespace mcusim
