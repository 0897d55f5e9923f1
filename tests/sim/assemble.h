// SPDX-License-Identifier: MIT
// Assembles Thumb source with the cross assembler for tests: bytes of .text, linked
// at an address so that PC-relative facts hold.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include "memmap/base/error.h"

namespace mcusim::testing {

inline std::vector<uint8_t> assemble_file(const std::string& source, uint32_t address = 0) {
  static int serial = 0;
  const auto directory = std::filesystem::temp_directory_path() /
                         ("mcusim_asm_" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const std::string stem = (directory / std::to_string(serial++)).string();
  const std::string command = fmt::format(
      "arm-none-eabi-as -mcpu=cortex-m7 -mfpu=fpv5-d16 -mthumb '{0}' -o {1}.o && "
      "arm-none-eabi-ld -Ttext={2:#x} -e {2:#x} {1}.o -o {1}.elf && "
      "arm-none-eabi-objcopy -O binary -j .text {1}.elf {1}.bin", source, stem, address);
  if (std::system(command.c_str()) != 0) throw Error("{}: does not assemble", source);
  std::ifstream file(stem + ".bin", std::ios::binary);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove_all(directory);
  return bytes;
}

inline std::vector<uint8_t> assemble_text(const std::string& text, uint32_t address = 0) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("mcusim_asm_" + std::to_string(getpid()) + ".s");
  std::ofstream(path) << ".syntax unified\n.thumb\n.cpu cortex-m7\n.fpu fpv5-d16\n" << text << '\n';
  auto bytes = assemble_file(path.string(), address);
  std::filesystem::remove(path);
  return bytes;
}

}  // namespace mcusim::testing
