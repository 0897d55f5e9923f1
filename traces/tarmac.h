// SPDX-License-Identifier: MIT
// Tarmac text as Arm's Fast Models write it and tarmac-trace-utilities read it
// (doc/index.rst and lib/parser.cpp there): what ran and which memory it touched, one
// line each. Contents of registers and memory are not in a trace: there are no R
// lines, and memory contents are x (unknown).
//
//   27 clk IT (12) 080001a4 6829 T thread : ldr r1, [r5]
//   27 clk MR4 20000010 xxxxxxxx
//   40 clk E 08000220 0000000f CoreEvent_SysTick
//
// The time is the cycle in which an instruction is through; IS is a load or store
// that its IT condition skipped. For a window of a run: a line is about 60 bytes, and
// a file beyond kMaxLines is an error that says so.
#pragma once

#include <cstdint>
#include <string>

#include "memmap/base/file.h"

namespace mcusim::trace {

class Tarmac {
 public:
  explicit Tarmac(const std::string& path) : path_(path), file_(path) {}

  // `opcode`: first halfword on top when `bytes` is 4.
  void instruction(uint64_t cycle, bool skipped, uint32_t address, uint32_t opcode, uint32_t bytes, bool in_handler,
                   const std::string& text);
  void access(uint64_t cycle, bool is_write, uint32_t address, uint32_t bytes);
  // `handler`: where it goes on; `number` as in IPSR.
  void exception(uint64_t cycle, uint32_t handler, uint32_t number);
  void finish() { file_.commit(); }

  static constexpr uint64_t kMaxLines = 4'000'000;

 private:
  void line(const std::string& text);

  const std::string path_;
  FileWriter file_;
  uint64_t lines_ = 0, instructions_ = 0;
};

}  // namespace mcusim::trace
