// SPDX-License-Identifier: MIT
// The zip container behind .npz: the member list of the central directory, whose
// sizes are the only ones believed, and one member's bytes, stored or deflated,
// with its CRC checked. No Zip64, no encryption, no multi-disk archives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim {

struct ZipMember {
  std::string name;
  uint16_t method = 0;  // 0 stored, 8 deflated
  uint32_t crc32 = 0, packed_bytes = 0, bytes = 0;
  uint64_t data_offset = 0;
};

// Throws Error for anything that is not a sound archive.
std::vector<ZipMember> zip_members(std::span<const uint8_t> file, const std::string& name);

// At most `limit_bytes` from the start of the member; the CRC is checked when the
// member is read to its end.
std::vector<uint8_t> zip_read(std::span<const uint8_t> file, const ZipMember& member,
                              uint64_t limit_bytes, const std::string& name);

}  // namespace mcusim
