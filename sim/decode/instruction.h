// SPDX-License-Identifier: MIT
// A decoded instruction: static facts that strict checks and timing need, free
// of Capstone. The decoder (sim/decode/decoder.cc) is Capstone's only user.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim {

// Register bit sets: 0..15 core registers (13 SP, 14 LR, 15 PC), 16 = APSR flags
// (NZCV), 17 = Q, 18 = GE, 19 = FPSCR, 20..51 = S0..S31 (D0 = S0+S1).
using RegisterSet = uint64_t;
inline constexpr int kFlags = 16, kQ = 17, kGe = 18, kFpscr = 19, kS0 = 20;

struct Instruction {
  uint32_t address = 0;
  uint8_t bytes = 2;                 // 2 or 4
  uint32_t opcode = 0;               // as the manual writes it: first halfword on top of 4 bytes
  // Lower case, without S, condition and width; FP arithmetic keeps its types: "ldr",
  // "smlad", "add", "vadd.f32", "vcvt.s32.f64"; core and FP moves "vmov", "vmov.f32".
  std::string mnemonic;
  std::string text;                  // as disassembled, for people
  uint8_t condition = 14;            // 0..14 as encoded; 14 = always
  bool in_it_block = false;
  RegisterSet reads = 0, writes = 0;
  RegisterSet address_reads = 0;     // base and index of a memory operand
  RegisterSet index_reads = 0;       // the index alone
  RegisterSet shifted_reads = 0;     // through an inline shift; moved register of BFI, PKH, UXTA
  RegisterSet accumulator_reads = 0; // Ra of MLA, SMLAD, ...; RdLo/RdHi of SMLAL
  RegisterSet store_data_reads = 0;
  bool inline_shift = false;         // register operand with a non-zero inline shift
  bool shifted_constant = false;     // modified immediate made by rotating 8 bits
  bool sets_flags = false;
  // Access events of one execution, as the engine reports them: LDM of n words n,
  // LDRD 2, VLDM of n doubles n (of 8 bytes), STREX 2 (an extra read comes first).
  uint8_t memory_words = 0;
  uint8_t access_bytes = 0;          // of one access
  bool is_load = false, is_store = false, writes_base = false;
  bool is_exclusive = false;         // LDREX/STREX
  bool needs_alignment = false;      // LDM/STM/LDRD/STRD/LDREX/VLDR/...: word-aligned or UsageFault
  // Anything that may write the PC; `is_return`: BX LR and PC loaded from the stack.
  bool is_branch = false, is_call = false, is_return = false, is_indirect = false;
  bool is_fpu = false;
  uint32_t branch_target = 0;        // of direct branches
};

// A translation block, decoded once.
struct DecodedBlock {
  uint32_t id = 0;
  uint32_t address = 0;
  uint32_t bytes = 0;
  std::vector<Instruction> instructions;
  uint32_t accesses = 0;             // sum of memory_words
  // ITSTATE (8 bits, 0 outside IT) at entry and at the end: a block may be cut in an IT block.
  uint8_t it_entry = 0, it_exit = 0;
};

}  // namespace mcusim
