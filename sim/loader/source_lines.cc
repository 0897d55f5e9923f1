// SPDX-License-Identifier: MIT
#include "sim/loader/source_lines.h"

#include <elfutils/libdw.h>
#include <libelf.h>

#include <memory>

namespace mcusim {
namespace {

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};
struct DwarfCloser {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

}  // namespace

SourceLines SourceLines::of(std::span<const uint8_t> file) {
  SourceLines out;
  if (elf_version(EV_CURRENT) == EV_NONE) return out;
  std::vector<uint8_t> copy(file.begin(), file.end());  // libelf wants a writable image
  const std::unique_ptr<Elf, ElfCloser> elf(elf_memory(reinterpret_cast<char*>(copy.data()), copy.size()));
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF) return out;
  const std::unique_ptr<Dwarf, DwarfCloser> dwarf(dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr));
  if (!dwarf) return out;

  std::map<std::string, uint32_t> numbers;
  const auto number_of = [&](const char* name) {
    const auto [found, is_new] = numbers.emplace(name ? name : "", static_cast<uint32_t>(out.files_.size()));
    if (is_new) out.files_.push_back(found->first);
    return found->second;
  };
  Dwarf_Off offset = 0, next = 0;
  size_t header_bytes = 0;
  while (dwarf_nextcu(dwarf.get(), offset, &next, &header_bytes, nullptr, nullptr, nullptr) == 0) {
    Dwarf_Die unit;
    Dwarf_Lines* lines = nullptr;
    size_t count = 0;
    if (dwarf_offdie(dwarf.get(), offset + header_bytes, &unit) && dwarf_getsrclines(&unit, &lines, &count) == 0) {
      for (size_t i = 0; i < count; ++i) {
        Dwarf_Line* line = dwarf_onesrcline(lines, i);
        Dwarf_Addr address = 0;
        int number = 0;
        bool is_end = false;
        if (!line || dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0) continue;
        dwarf_lineendsequence(line, &is_end);
        // A sequence's end must not hide the start of the next one at its address.
        const auto at = static_cast<uint32_t>(address);
        if (is_end) out.rows_.emplace(at, Row{0, 0, true});
        else out.rows_[at] = {number_of(dwarf_linesrc(line, nullptr, nullptr)), static_cast<uint32_t>(number), false};
      }
    }
    if (next <= offset) break;
    offset = next;
  }
  return out;
}

SourceLine SourceLines::at(uint32_t address) const {
  auto found = rows_.upper_bound(address);
  if (found == rows_.begin()) return {};
  --found;
  if (found->second.is_end || found->second.line == 0) return {};
  return {files_[found->second.file], found->second.line};
}

}  // namespace mcusim
