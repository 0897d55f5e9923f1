// SPDX-License-Identifier: MIT
// Any bytes as a net.bin with a right checksum: it decodes and encodes, or an Error.
#include "kernels/host/container.h"

#include <cstring>

#include "memmap/base/error.h"
#include "kernels/host/int_net.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    std::vector<uint8_t> file(data, data + size);
    if (size < sizeof(mcusim::net::Header)) return 0;
    const uint32_t crc = mcusim::container_crc(file);
    std::memcpy(file.data() + offsetof(mcusim::net::Header, crc32), &crc, sizeof crc);
    mcusim::encode(mcusim::decode(file.data(), file.size()));
  } catch (const mcusim::Error&) {
  }
  return 0;
}
