// SPDX-License-Identifier: MIT
// CRC-32 (IEEE 802.3) as trace files carry it.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <span>

namespace mcusim::trace {

inline uint32_t crc32_of(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace mcusim::trace
