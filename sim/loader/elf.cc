// SPDX-License-Identifier: MIT
// ELF to Program, with elfutils. Segments load at p_paddr: .data lies in flash
// and the start-up copies it; loading at p_vaddr would let that copy overwrite
// good data (docs: a programmer writes physical addresses).
#include <gelf.h>
#include <libelf.h>

#include <memory>

#include "memmap/base/bytes.h"
#include "memmap/base/error.h"
#include "sim/loader/program.h"
#include "sim/loader/segments.h"

namespace mcusim {
namespace {

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_386: return "x86";
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "AArch64";
    case EM_RISCV: return "RISC-V";
    case EM_XTENSA: return "Xtensa";
    case EM_MIPS: return "MIPS";
    case EM_PPC: return "PowerPC";
    case EM_AVR: return "AVR";
    default: return fmt::format("ELF machine {}", machine);
  }
}

// Checks what no Cortex-M ELF can differ in, each refusal by name.
void check_header(const GElf_Ehdr& header, const std::string& name) {
  if (header.e_machine != EM_ARM)
    throw Error("{}: ELF for {}, not for Arm", name, machine_name(header.e_machine));
  if (header.e_ident[EI_CLASS] != ELFCLASS32)
    throw Error("{}: 64-bit ELF; a Cortex-M7 runs 32-bit code", name);
  if (header.e_ident[EI_DATA] != ELFDATA2LSB)
    throw Error("{}: big-endian ELF; a Cortex-M7 board is little-endian", name);
  if (header.e_type != ET_EXEC)
    throw Error("{}: ELF type {} is not an executable (link it first)", name, header.e_type);
  if (header.e_entry != 0 && (header.e_entry & 1) == 0)
    throw Error("{}: entry 0x{:08x} is Arm code; a Cortex-M7 runs only Thumb code", name,
                header.e_entry);
}

void read_segments(Elf* elf, const ByteReader& reader, Program& program) {
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0)
    throw Error("{}: damaged program headers: {}", program.name, elf_errmsg(-1));
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr)
      throw Error("{}: damaged program header {}: {}", program.name, i, elf_errmsg(-1));
    if (header.p_type != PT_LOAD || header.p_filesz == 0) continue;  // .bss, heap, stack
    auto bytes = reader.range(header.p_offset, header.p_filesz);
    add_segment(program, static_cast<uint32_t>(header.p_paddr), {bytes.begin(), bytes.end()});
  }
}

void read_symbols(Elf* elf, Program& program) {
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr || header.sh_entsize == 0)
      throw Error("{}: damaged symbol table: {}", program.name, elf_errmsg(-1));
    const size_t count = data->d_size / header.sh_entsize;
    for (size_t i = 1; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const int type = GELF_ST_TYPE(symbol.st_info);
      if (type == STT_SECTION || type == STT_FILE || symbol.st_shndx == SHN_UNDEF) continue;
      const char* text = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (text == nullptr || text[0] == '\0' || text[0] == '$') continue;  // $t, $d: mapping
      Symbol entry;
      entry.name = text;
      entry.is_function = type == STT_FUNC;
      entry.address = static_cast<uint32_t>(symbol.st_value) & (entry.is_function ? ~1u : ~0u);
      entry.size_bytes = static_cast<uint32_t>(symbol.st_size);
      program.symbols.push_back(std::move(entry));
    }
  }
}

}  // namespace

Program parse_elf(std::span<const uint8_t> bytes, const std::string& name) {
  if (elf_version(EV_CURRENT) == EV_NONE) throw Error("elfutils: {}", elf_errmsg(-1));
  Program program;
  program.name = name;
  std::vector<uint8_t> copy(bytes.begin(), bytes.end());  // libelf wants a writable image
  const ElfHandle elf(elf_memory(reinterpret_cast<char*>(copy.data()), copy.size()));
  GElf_Ehdr header;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr)
    throw Error("{}: damaged ELF file", name);
  check_header(header, name);
  read_segments(elf.get(), ByteReader(bytes, name), program);
  read_symbols(elf.get(), program);
  if (header.e_entry != 0) program.entry = static_cast<uint32_t>(header.e_entry) & ~1u;
  finish_program(program);
  return program;
}

}  // namespace mcusim
