// SPDX-License-Identifier: MIT
// Intel HEX to Program: record types 00 to 05, checksums verified, every refusal
// names the line. Adjacent records join into one segment.
#include <string_view>

#include "memmap/base/error.h"
#include "sim/loader/program.h"
#include "sim/loader/segments.h"

namespace mcusim {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Count, address (2), type, data, checksum: the bytes of one line.
std::vector<uint8_t> record_bytes(std::string_view line, const std::string& name, size_t number) {
  if (line.size() < 11 || line[0] != ':' || line.size() % 2 == 0)
    throw Error("{}: line {}: not an Intel HEX record", name, number);
  std::vector<uint8_t> bytes;
  uint8_t sum = 0;
  for (size_t i = 1; i < line.size(); i += 2) {
    const int high = hex_digit(line[i]), low = hex_digit(line[i + 1]);
    if (high < 0 || low < 0) throw Error("{}: line {}: not a hexadecimal digit", name, number);
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
    sum = static_cast<uint8_t>(sum + bytes.back());
  }
  if (bytes.size() != bytes[0] + size_t{5})
    throw Error("{}: line {}: {} data bytes announced, {} found", name, number, bytes[0],
                bytes.size() - 5);
  if (sum != 0) throw Error("{}: line {}: wrong checksum", name, number);
  return bytes;
}

class HexReader {
 public:
  explicit HexReader(Program& program) : program_(program) {}

  bool ended() const { return ended_; }

  void record(const std::vector<uint8_t>& bytes, size_t number) {
    const uint32_t offset = bytes[1] << 8 | bytes[2];
    const std::span<const uint8_t> data(bytes.data() + 4, bytes[0]);
    switch (bytes[3]) {
      case 0: append(base_ + offset, data); return;
      case 1: ended_ = true; return;
      case 2: base_ = value(data, 2, number) << 4; return;
      case 4: base_ = value(data, 2, number) << 16; return;
      case 3: value(data, 4, number); return;  // real-mode CS:IP, of no use here
      case 5: program_.entry = value(data, 4, number) & ~1u; return;
      default:
        throw Error("{}: line {}: unknown record type {}", program_.name, number, bytes[3]);
    }
  }

  void flush() {
    add_segment(program_, start_, std::move(pending_));
    pending_ = {};
  }

 private:
  uint32_t value(std::span<const uint8_t> data, size_t size, size_t number) const {
    if (data.size() != size)
      throw Error("{}: line {}: {} data bytes, expected {}", program_.name, number, data.size(),
                  size);
    uint32_t result = 0;
    for (uint8_t byte : data) result = result << 8 | byte;
    return result;
  }

  void append(uint32_t address, std::span<const uint8_t> data) {
    if (address != start_ + pending_.size()) {
      flush();
      start_ = address;
    }
    pending_.insert(pending_.end(), data.begin(), data.end());
  }

  Program& program_;
  uint32_t base_ = 0, start_ = 0;
  std::vector<uint8_t> pending_;
  bool ended_ = false;
};

}  // namespace

Program parse_hex(std::span<const uint8_t> bytes, const std::string& name) {
  Program program;
  program.name = name;
  HexReader reader(program);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (size_t number = 1; !text.empty() && !reader.ended(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    reader.record(record_bytes(line, name, number), number);
  }
  if (!reader.ended()) throw Error("{}: no end record; the file is cut short", name);
  reader.flush();
  finish_program(program);
  return program;
}

}  // namespace mcusim
