// SPDX-License-Identifier: MIT
// Checked little-endian reading and writing of bytes from outside.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "memmap/base/error.h"

namespace mcusim {

// Reads a byte range that carries its name for messages; every access is
// bounds-checked and throws Error naming file, offset and size.
class ByteReader {
 public:
  ByteReader(std::span<const uint8_t> bytes, std::string name)
      : bytes_(bytes), name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  size_t size() const { return bytes_.size(); }

  std::span<const uint8_t> range(uint64_t offset, uint64_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset)
      throw Error("{}: {} bytes at offset {} reach past the end ({} bytes)", name_, count, offset,
                  bytes_.size());
    return bytes_.subspan(offset, count);
  }

  // T is a little-endian integer or float (hosts are little-endian).
  template <typename T>
  T at(uint64_t offset) const {
    T value;
    std::memcpy(&value, range(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
  std::string name_;
};

}  // namespace mcusim
