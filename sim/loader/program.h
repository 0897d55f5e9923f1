// SPDX-License-Identifier: MIT
// A program as the target's memory will hold it: bytes at physical addresses and
// the symbols that name them. ELF, Intel HEX and raw binaries all become this,
// so nothing behind the loader knows file formats.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mcusim {

// Bytes that a flash programmer or debug probe would write (p_paddr, not p_vaddr).
struct Segment {
  uint32_t address = 0;
  std::vector<uint8_t> bytes;
};

struct Symbol {
  std::string name;
  uint32_t address = 0;   // without the Thumb bit
  uint32_t size_bytes = 0;
  bool is_function = false;
};

struct Program {
  std::string name;                      // file it came from
  std::vector<Segment> segments;         // ascending, not overlapping
  std::vector<Symbol> symbols;           // ascending by address
  std::optional<uint32_t> entry;         // ELF e_entry or HEX record 05, without the Thumb bit

  const Symbol* find_symbol(const std::string& symbol_name) const;
  uint32_t symbol_address(const std::string& symbol_name) const;  // throws Error naming it
  const Symbol* function_at(uint32_t address) const;              // nullptr outside functions
  const Symbol* object_at(uint32_t address) const;
  // "0x08000123 <main+0x12>", or only the address where no symbol covers it.
  std::string describe(uint32_t address) const;
  bool covers(uint32_t address, uint32_t bytes) const;
  std::optional<uint32_t> word_at(uint32_t address) const;
  // The word of the symbol that limits the main stack; absent without such a symbol.
  std::optional<uint32_t> stack_limit() const;
  uint64_t bytes_inside(uint32_t base, uint32_t size_bytes) const;  // loaded bytes in a range
};

// By content: ELF magic, then ':' of Intel HEX, else raw when `raw_base` is given.
Program load_program(const std::string& path, std::optional<uint32_t> raw_base = {});
Program parse_elf(std::span<const uint8_t> bytes, const std::string& name);
Program parse_hex(std::span<const uint8_t> bytes, const std::string& name);
Program parse_raw(std::span<const uint8_t> bytes, const std::string& name, uint32_t base);

}  // namespace mcusim
