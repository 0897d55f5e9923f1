// SPDX-License-Identifier: MIT
#include "sim/image/tool.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

extern char** environ;

namespace mcusim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArchitecture[] = {"-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard",
                                         "-mthumb"};

std::string first_lines(const std::string& text, size_t lines) {
  std::string out;
  for (size_t at = 0; at < text.size() && lines > 0; --lines) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out += (out.empty() ? "" : "; ") + text.substr(at, end - at);
    at = end + 1;
  }
  return out;
}

std::string ask_compiler(const std::string& question, const std::string& directory) {
  std::vector<std::string> command = {"arm-none-eabi-g++"};
  command.insert(command.end(), std::begin(kArchitecture), std::end(kArchitecture));
  command.push_back(question);
  std::string answer = run_tool(command, directory);
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::error_code none;
  fs::path base = fs::temp_directory_path(none);
  if (none) base = "/tmp";
  path_ = (base / "mcusim-XXXXXX").string();
  if (!::mkdtemp(path_.data())) throw Error("{}: cannot create: {}", path_, std::strerror(errno));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string run_tool(const std::vector<std::string>& command, const std::string& directory) {
  const std::string log = directory + "/.tool_output";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) throw Error("{}: cannot run: {}", command[0], std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Error("{}: cannot wait: {}", command[0], std::strerror(errno));
  const std::string printed = read_text_file(log);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error("{}: failed: {}", fs::path(command[0]).filename().string(), first_lines(printed, 3));
  return printed;
}

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
