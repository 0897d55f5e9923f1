// SPDX-License-Identifier: MIT
// qemu-system-arm as an oracle: what an image prints and how many instructions it
// retires on the mps2-an500.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "memmap/base/file.h"
#include "sim/image/tool.h"
#include "tests/e2e/firmware.h"

namespace mcusim::testing {

inline bool have_qemu() {
  return std::system("command -v qemu-system-arm >/dev/null 2>&1") == 0;
}

inline std::string run_qemu(const std::string& elf, const std::string& directory,
                            const std::vector<std::string>& extra = {}) {
  std::vector<std::string> command = {"timeout", "120", "qemu-system-arm", "-M", "mps2-an500",
                                      "-nographic", "-monitor", "none", "-serial", "none",
                                      "-semihosting-config", "enable=on,target=native",
                                      "-kernel", elf};
  command.insert(command.end(), extra.begin(), extra.end());
  return run_tool(command, directory);
}

// One translation block per instruction, one line of log each; programs stay below
// two million instructions (66 bytes of log each).
inline uint64_t qemu_instructions(const std::string& elf, const std::string& directory) {
  const std::string log = directory + "/exec.log";
  run_qemu(elf, directory, {"-singlestep", "-d", "nochain,exec", "-D", log});
  const auto bytes = read_file(log);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  uint64_t lines = 0;
  for (size_t at = text.find("Trace "); at != text.npos; at = text.find("Trace ", at + 6)) ++lines;
  return lines;
}

}  // namespace mcusim::testing
