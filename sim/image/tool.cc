// SPDX-License-Identifier: MIT
#include "sim/image/tool.h"

#include <filesystem>
#include <iterator>
#include <vector>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArchitecture[] = {"-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard",
                                         "-mthumb"};

std::string ask_compiler(const std::string& question, const std::string& directory) {
  std::vector<std::string> command = {"arm-none-eabi-g++"};
  command.insert(command.end(), std::begin(kArchitecture), std::end(kArchitecture));
  command.push_back(question);
  std::string answer = run_tool(command, directory);
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

}  // namespace

CrossTools find_cross_tools() {
  const CrossTools built = {MCUSIM_ARM_LD, MCUSIM_ARM_LIBGCC, MCUSIM_ARM_LIBC};
  if (fs::exists(built.linker) && fs::exists(built.libgcc) && fs::exists(built.libc)) return built;
  try {
    const TemporaryDirectory directory;
    return {"arm-none-eabi-ld", ask_compiler("-print-libgcc-file-name", directory.path()),
            ask_compiler("-print-file-name=libc.a", directory.path())};
  } catch (const Error& error) {
    throw Error("image: no cross linker (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi): {}",
                error.what());
  }
}

}  // namespace mcusim
