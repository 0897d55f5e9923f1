// SPDX-License-Identifier: MIT
// What each mnemonic does with its operands. One row per mnemonic: a mnemonic
// without a row is an error, never a default (law 5). Capstone 4.0.2 reports
// operand order reliably but neither flags nor all accesses, so roles come from here.
#pragma once

#include <cstdint>
#include <string_view>

namespace mcusim {

enum class Form : uint8_t {
  dest,          // first operand written, the others read
  alu,           // as dest; with two operands the first is read too (ADDS R0, #1)
  compare,       // all read, flags written
  modify,        // first operand read and written, the others read (MOVT, BFI)
  accumulate,    // first written, the last read late (MLA, SMLAD)
  dest_pair,     // first two written (SMULL)
  accumulate_pair,  // first two written and read late (SMLAL)
  fp_accumulate,    // first read late and written (VMLA, VFMA)
  load, load_pair, store, store_pair, load_exclusive, store_exclusive,
  load_multiple, store_multiple, push, pop, preload, table_branch,
  branch, branch_register, compare_branch, move,
  fp_move, fp_status,
  none,          // no operands that matter (NOP, barriers, IT, BKPT)
  system_read, system_write,
};

enum FormFlag : uint8_t {
  kReadsFlags = 1, kWritesGe = 2, kReadsGe = 4, kWritesQ = 8, kShiftsLast = 16, kWritesFpscr = 32,
};

struct FormRow {
  std::string_view mnemonic;
  Form form;
  uint8_t flags = 0;
  uint8_t access_bytes = 0;  // of loads and stores of core registers
};

// nullptr when the mnemonic (without FP type suffix) is unknown.
const FormRow* find_form(std::string_view mnemonic);

}  // namespace mcusim
