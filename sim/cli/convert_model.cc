// SPDX-License-Identifier: MIT
// Models are imported by the sibling program: two programs share files, not memory.
#include "sim/cli/convert_model.h"

#include <filesystem>

#include "memmap/base/file.h"
#include "memmap/base/process.h"

namespace mcusim::cli {

std::vector<uint8_t> convert_model(const std::string& path) {
  const TemporaryDirectory directory;
  const std::string container = directory.file("net.bin");
  run_tool({sibling_program("mcusim-net"), "convert", std::filesystem::absolute(path).string(), "-o", container},
           directory.path());
  return read_file(container);
}

}  // namespace mcusim::cli
