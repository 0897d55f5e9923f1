// SPDX-License-Identifier: MIT
#include "memmap/base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

extern char** environ;

namespace mcusim {
namespace {

namespace fs = std::filesystem;

// The wrapper of Debian 12's C library lacks C++ linkage guards; the call itself is old.
int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

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

Child::Child(const Command& command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, command.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (!command.directory.empty())
    posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  std::vector<char*> arguments;
  for (const auto& word : command.words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int cause = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (cause != 0) {
    pid_ = -1;
    throw Error("{}: cannot run: {}", command.words[0], std::strerror(cause));
  }
  descriptor_ = open_pidfd(pid_);
  if (descriptor_ < 0) {
    const int reason = errno;
    release();
    throw Error("{}: cannot watch: {}", command.words[0], std::strerror(reason));
  }
}

Child::~Child() { release(); }

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), descriptor_(std::exchange(other.descriptor_, -1)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void Child::release() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

int Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) throw Error("process {}: cannot wait: {}", pid_, std::strerror(errno));
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string run_tool(const std::vector<std::string>& words, const std::string& directory) {
  const Command command = {words, directory + "/.tool_output", directory};
  const int status = Child(command).wait();
  const std::string printed = read_text_file(command.log);
  if (status != 0)
    throw Error("{}: failed: {}", fs::path(words[0]).filename().string(), first_lines(printed, 3));
  return printed;
}

void run_commands(const std::vector<Command>& commands, unsigned parallel,
                  const std::function<void(size_t index, int status)>& finished) {
  struct Running {
    size_t index;
    Child child;
  };
  std::vector<Running> running;
  size_t next = 0;
  while (next < commands.size() || !running.empty()) {
    while (next < commands.size() && running.size() < std::max(parallel, 1u)) {
      running.push_back({next, Child(commands[next])});
      ++next;
    }
    std::vector<pollfd> watched;
    for (const auto& one : running) watched.push_back({one.child.descriptor(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)
      throw Error("cannot wait for programs: {}", std::strerror(errno));
    for (size_t i = watched.size(); i-- > 0;) {
      if (!(watched[i].revents & POLLIN)) continue;
      Running ended = std::move(running[i]);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      const int status = ended.child.wait();
      finished(ended.index, status);
    }
  }
}

std::string first_lines(const std::string& text, size_t lines) {
  std::string out;
  for (size_t at = 0; at < text.size() && lines > 0; --lines) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out += (out.empty() ? "" : "; ") + text.substr(at, end - at);
    at = end + 1;
  }
  return out;
}

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const size_t before = text.rfind('\n', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, end + 1 - begin);
}

}  // namespace mcusim
