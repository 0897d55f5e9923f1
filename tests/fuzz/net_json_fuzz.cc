// SPDX-License-Identifier: MIT
// Any text as net.json: a network the format accepts, or an Error.
#include "quant/pack/net_json.h"

#include <unistd.h>

#include <cstdio>

#include "memmap/base/error.h"
#include "kernels/host/int_net.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    // The reader takes a path; the folder holds nothing else.
    static const std::string folder = [] {
      char name[] = "/tmp/mcusim-fuzz-XXXXXX";
      return std::string(::mkdtemp(name));
    }();
    const std::string path = folder + "/net.json";
    FILE* file = std::fopen(path.c_str(), "w");
    std::fwrite(data, 1, size, file);
    std::fclose(file);
    mcusim::encode(mcusim::read_net_json(path));
  } catch (const mcusim::Error&) {
  }
  return 0;
}
