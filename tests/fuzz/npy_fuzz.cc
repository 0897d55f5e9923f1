// SPDX-License-Identifier: MIT
// Any bytes as .npy and as a zip archive: arrays of consistent size, or an Error.
#include "memmap/base/npy.h"

#include "memmap/base/error.h"
#include "memmap/base/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::span<const uint8_t> bytes(data, size);
    if (size > 4 && data[0] == 'P') {
      for (const auto& member : mcusim::zip_members(bytes, "fuzz.npz"))
        mcusim::parse_npy(mcusim::zip_read(bytes, member, uint64_t{1} << 20, "fuzz.npz"), "fuzz");
    } else {
      const auto array = mcusim::parse_npy(bytes, "fuzz.npy");
      mcusim::check(array.bytes.size() == array.elements() * array.item_bytes(), "sizes agree");
    }
  } catch (const mcusim::Error&) {
  }
  return 0;
}
