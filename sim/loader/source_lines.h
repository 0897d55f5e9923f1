// SPDX-License-Identifier: MIT
// Source lines of addresses, from a program's DWARF line tables.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace mcusim {

struct SourceLine {
  std::string file;      // as the compiler named it
  uint32_t line = 0;     // 0: unknown
  bool operator==(const SourceLine&) const = default;
};

class SourceLines {
 public:
  SourceLines() = default;
  // Empty for files without line tables, whatever they are.
  static SourceLines of(std::span<const uint8_t> file);

  bool empty() const { return rows_.empty(); }
  // The line that made the instruction there; line 0 where no table covers it.
  SourceLine at(uint32_t address) const;

 private:
  struct Row {
    uint32_t file = 0, line = 0;
    bool is_end = false;              // first address behind a sequence
  };
  std::vector<std::string> files_;
  std::map<uint32_t, Row> rows_;      // by first address
};

}  // namespace mcusim
