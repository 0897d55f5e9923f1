// SPDX-License-Identifier: MIT
// The timing table: one row per instruction class, one latency matrix of result
// kinds against operand uses. Every number names its source: J, L, LM, S, G, R as in
// docs/accuracy.md; `guess` where none gives it. No row, no run (law 5).
//
// Latency = cycles from the producer's issue to the earliest issue of the consumer;
// 0 means that both may share a cycle (producer in the older slot).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sim/timing/estimator.h"

namespace mcusim::timing {

// How a result is made: row of the latency matrix.
enum class Result : uint8_t {
  none, late_alu, early_alu, rev, simd, simd_slow, address, load_word, load_narrow, mac,
  divide, system, flags, fp_alu, fp_fused, fp_chained, fp_load, fp_move, fp_to_core, fp_divide,
  fp_double, count_,
};

// How an operand is consumed: column.
enum class Use : uint8_t {
  late, early, late_beside_early, early_alu, base, index, multiplicand, accumulator, store, divide,
  predicate, fp_add, fp_multiply, fused_accumulator, chained_accumulator, fp_store, fp_out, fp_move,
  count_,
};

inline constexpr size_t kResults = static_cast<size_t>(Result::count_);
inline constexpr size_t kUses = static_cast<size_t>(Use::count_);
extern const int8_t kLatency[kResults][kUses]; 
inline int latency(Result result, Use use) {
  return kLatency[static_cast<size_t>(result)][static_cast<size_t>(use)];
}

// Slot and unit rules of a class.
enum SlotRule : uint32_t {
  kAny = 0,
  kOlderOnly = 1u << 0,     // SIMD and bitfield unit, double-precision FP
  kSingle = 1u << 1,        // issues alone
  kMacUnit = 1u << 2,
  kLoadPipe = 1u << 3,
  kStorePort = 1u << 4,
  kBranchUnit = 1u << 5,
  kEx1Exclusive = 1u << 6,  // inline shift, shifted constant, bitfield early: one per pair
  kEarlyOlder = 1u << 7,    // may run in the early ALU from the older slot
  kEarlyShift = 1u << 8,    // may run in the EX1 shifter from either slot
  kFpUnit = 1u << 9,
  kFpMac = 1u << 10,        // single-precision multiply-accumulate: shadow of three cycles
  kFpShadowed = 1u << 11,   // not within the shadow
  kFpShadowOlder = 1u << 12,  // within the shadow only in the older slot, never beside a MAC
  kFpMoveImmediate = 1u << 13,
  kDoubleMac = 1u << 14,    // never beside a load or store
  kPairBlocks = 1u << 15,   // occupancy starts after one paired instruction
  kHalves = 1u << 16,       // occupancy = ceil(words / 2)
  kFetchPair = 1u << 17,    // wants two 16-bit opcodes near by
};

struct TimingRow {
  std::string_view name;
  std::string_view mnemonics;   // separated by spaces; a trailing * matches any rest
  uint32_t slots;
  Result result;
  Use use;                      // of plain operands
  Use accumulator;              // of accumulator operands
  uint8_t cycles;               // issue cycles
  Cause cause;                  // of issue cycles beyond the first, and of waiting for it
  std::string_view source;
  uint8_t low = 0, high = 0;    // range of `cycles` when it is a guess or data dependent
};

std::span<const TimingRow> timing_rows();
const TimingRow& row_of(const Instruction& instruction);  // throws Error naming it
Cause cause_of(Result result);

// Core constants that are not per class.
inline constexpr int kMispredictCycles = 8;        // J, R
inline constexpr int kMispredictEarlyFlags = 6;    // J: flags set at least 3 cycles before
inline constexpr int kEarlyFlagsDistance = 3;      // J
inline constexpr int kStoreToLoadCycles = 4;       // LM; S: eight slots
inline constexpr int kStoreToLoadShift = 3;        // S: within 8 bytes
inline constexpr int kUnalignedOlder = 3, kUnalignedYounger = 4;  // J
inline constexpr int kFetchQueueEntries = 4;       // Arm, quoted in m7 notes: four of 64 bits
inline constexpr int kFpShadowCycles = 3;          // J
inline constexpr int kCompressionCycles = 7;       // J: two 16-bit opcodes this soon after

std::string table_text();   // canonical text, hashed into every report

}  // namespace mcusim::timing
