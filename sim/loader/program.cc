// SPDX-License-Identifier: MIT
// Questions about a loaded program, and the choice of file format by content.
#include "sim/loader/program.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "memmap/base/bytes.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/loader/segments.h"

namespace mcusim {
namespace {

// Names by which linker scripts call the lowest address of the main stack.
constexpr std::array kStackLimitNames = {"__stack_limit", "__StackLimit", "__stack_limit__"};

// Symbols may nest (aliases, labels inside functions); how far back to look.
constexpr int kLookBack = 64;

template <typename Accept>
const Symbol* covering(const std::vector<Symbol>& symbols, uint32_t address, Accept accept) {
  auto after = std::upper_bound(symbols.begin(), symbols.end(), address,
                                [](uint32_t a, const Symbol& s) { return a < s.address; });
  const Symbol* unsized = nullptr;
  for (int step = 0; step < kLookBack && after != symbols.begin(); ++step) {
    const Symbol& symbol = *--after;
    if (!accept(symbol)) continue;
    if (symbol.size_bytes != 0 && address - symbol.address < symbol.size_bytes) return &symbol;
    // Hand-written assembly has no sizes: the nearest such label owns the code.
    if (symbol.size_bytes == 0 && unsized == nullptr) unsized = &symbol;
    if (symbol.size_bytes != 0 && unsized == nullptr) return nullptr;
  }
  return unsized;
}

}  // namespace

void add_segment(Program& program, uint32_t address, std::vector<uint8_t> bytes) {
  if (bytes.empty()) return;
  if (uint64_t{address} + bytes.size() > uint64_t{1} << 32)
    throw Error("{}: {} bytes at 0x{:08x} reach past the address space", program.name,
                bytes.size(), address);
  program.segments.push_back({address, std::move(bytes)});
}

void finish_program(Program& program) {
  auto& segments = program.segments;
  if (segments.empty()) throw Error("{}: nothing to load", program.name);
  std::stable_sort(segments.begin(), segments.end(),
                   [](const Segment& a, const Segment& b) { return a.address < b.address; });
  for (size_t i = 1; i < segments.size(); ++i) {
    if (segments[i - 1].address + uint64_t{segments[i - 1].bytes.size()} > segments[i].address)
      throw Error("{}: two parts overlap at 0x{:08x}", program.name, segments[i].address);
  }
  std::stable_sort(program.symbols.begin(), program.symbols.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
}

const Symbol* Program::find_symbol(const std::string& symbol_name) const {
  for (const auto& symbol : symbols)
    if (symbol.name == symbol_name) return &symbol;
  return nullptr;
}

uint32_t Program::symbol_address(const std::string& symbol_name) const {
  if (const Symbol* symbol = find_symbol(symbol_name)) return symbol->address;
  throw Error("{}: no symbol {}", name, symbol_name);
}

const Symbol* Program::function_at(uint32_t address) const {
  const Symbol* symbol = covering(symbols, address, [](const Symbol& s) { return s.is_function; });
  if (symbol == nullptr || symbol->size_bytes != 0) return symbol;
  // Without a size it reaches to the end of its segment at most.
  for (const auto& segment : segments)
    if (symbol->address >= segment.address && address - segment.address < segment.bytes.size())
      return symbol;
  return nullptr;
}

const Symbol* Program::object_at(uint32_t address) const {
  return covering(symbols, address,
                  [](const Symbol& s) { return !s.is_function && s.size_bytes != 0; });
}

std::string Program::describe(uint32_t address) const {
  const Symbol* symbol = function_at(address);
  if (symbol == nullptr) symbol = object_at(address);
  if (symbol == nullptr) return fmt::format("0x{:08x}", address);
  return fmt::format("0x{:08x} <{}+0x{:x}>", address, symbol->name, address - symbol->address);
}

bool Program::covers(uint32_t address, uint32_t bytes) const {
  for (const auto& segment : segments)
    if (address >= segment.address && bytes <= segment.bytes.size() &&
        address - segment.address <= segment.bytes.size() - bytes)
      return true;
  return false;
}

std::optional<uint32_t> Program::word_at(uint32_t address) const {
  for (const auto& segment : segments) {
    if (address < segment.address || segment.bytes.size() < 4 ||
        address - segment.address > segment.bytes.size() - 4)
      continue;
    uint32_t word;
    std::memcpy(&word, segment.bytes.data() + (address - segment.address), 4);
    return word;
  }
  return {};
}

std::optional<uint32_t> Program::stack_limit() const {
  for (const char* candidate : kStackLimitNames)
    if (const Symbol* symbol = find_symbol(candidate)) return symbol->address;
  return {};
}

uint64_t Program::bytes_inside(uint32_t base, uint32_t size_bytes) const {
  uint64_t total = 0;
  for (const auto& segment : segments) {
    const uint64_t low = std::max<uint64_t>(segment.address, base);
    const uint64_t high = std::min(uint64_t{segment.address} + segment.bytes.size(),
                                   uint64_t{base} + size_bytes);
    if (high > low) total += high - low;
  }
  return total;
}

Program parse_raw(std::span<const uint8_t> bytes, const std::string& name, uint32_t base) {
  Program program;
  program.name = name;
  add_segment(program, base, {bytes.begin(), bytes.end()});
  finish_program(program);
  return program;
}

Program load_program(const std::string& path, std::optional<uint32_t> raw_base) {
  const std::vector<uint8_t> bytes = read_file(path);
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), "\177ELF", 4) == 0)
    return parse_elf(bytes, path);
  if (raw_base) return parse_raw(bytes, path, *raw_base);
  if (!bytes.empty() && bytes[0] == ':') return parse_hex(bytes, path);
  throw Error("{}: neither ELF nor Intel HEX; a raw binary needs its base address", path);
}

}  // namespace mcusim
