// SPDX-License-Identifier: MIT
#include "memmap/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

namespace fs = std::filesystem;

// Closes a descriptor on every way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

fs::path program_directory() { return fs::read_symlink("/proc/self/exe").parent_path(); }

}  // namespace

std::vector<uint8_t> read_file(const std::string& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) throw Error("{}: cannot open: {}", path, std::strerror(errno));
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) throw Error("{}: cannot stat: {}", path, std::strerror(errno));
  if (S_ISDIR(info.st_mode)) throw Error("{}: is a directory, expected a file", path);
  std::vector<uint8_t> bytes;
  if (S_ISREG(info.st_mode)) bytes.reserve(static_cast<size_t>(info.st_size));
  uint8_t chunk[65536];
  for (;;) {
    const ssize_t got = ::read(file.fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("{}: cannot read: {}", path, std::strerror(errno));
    if (got == 0) return bytes;
    bytes.insert(bytes.end(), chunk, chunk + got);
  }
}

std::string read_text_file(const std::string& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

void write_file(const std::string& path, std::span<const uint8_t> bytes) {
  // A device or pipe (/dev/stdout, a FIFO) is written in place: renaming would replace it.
  struct stat info {};
  const bool special = ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  const std::string target = special ? path : fmt::format("{}.tmp{}", path, ::getpid());
  Descriptor file{::open(target.c_str(), O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT | O_TRUNC), 0666)};
  if (file.fd < 0) throw Error("{}: cannot create: {}", path, std::strerror(errno));
  auto fail = [&](const char* what) {
    const int cause = errno;
    if (!special) ::unlink(target.c_str());
    throw Error("{}: cannot {}: {}", path, what, std::strerror(cause));
  };
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(file.fd, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write");
    done += static_cast<size_t>(put);
  }
  if (special) return;
  if (::fsync(file.fd) != 0) fail("flush");
  if (::rename(target.c_str(), path.c_str()) != 0) fail("rename into place");
}

void write_file(const std::string& path, const std::string& text) {
  write_file(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::string data_directory() {
  if (const char* home = std::getenv("MCUSIM_HOME"); home && *home) return home;
  const fs::path installed = program_directory().parent_path() / "share" / "mcusim";
  if (fs::exists(installed / "boards")) return installed.string();
  const fs::path built = program_directory() / "share" / "mcusim";
  if (fs::exists(built / "boards")) return built.string();
  throw Error("{}: no boards/ found beside the program; set MCUSIM_HOME to the share/mcusim folder",
              installed.string());
}

std::string sibling_program(const std::string& name) {
  return (program_directory() / name).string();
}

}  // namespace mcusim
