// SPDX-License-Identifier: MIT
#include "memmap/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

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

// Far above any network, image or trace; ends the reading of an endless device.
constexpr size_t kMaxRead_bytes = size_t{2} << 30;

std::vector<uint8_t> read_file(const std::string& path) {
  // Non-blocking for the opening alone: a FIFO that nobody writes reads as empty
  // instead of waiting for ever; one with a writer is read to its end.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) throw Error("{}: cannot open: {}", path, std::strerror(errno));
  if (::fcntl(file.fd, F_SETFL, O_RDONLY) != 0) throw Error("{}: cannot read: {}", path, std::strerror(errno));
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
    if (bytes.size() + static_cast<size_t>(got) > kMaxRead_bytes)
      throw Error("{}: more than {} bytes, which no file read here has", path, kMaxRead_bytes);
    bytes.insert(bytes.end(), chunk, chunk + got);
  }
}

std::string read_text_file(const std::string& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

FileWriter::FileWriter(const std::string& path) : path_(path) {
  // A device or pipe (/dev/stdout, a FIFO) is written in place: renaming would replace it.
  struct stat info {};
  special_ = ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  target_ = special_ ? path : fmt::format("{}.tmp{}", path, ::getpid());
  fd_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC | (special_ ? 0 : O_CREAT | O_TRUNC), 0666);
  if (fd_ < 0) throw Error("{}: cannot create: {}", path, std::strerror(errno));
}

FileWriter::~FileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!special_) ::unlink(target_.c_str());
}

void FileWriter::fail(const char* what) { throw Error("{}: cannot {}: {}", path_, what, std::strerror(errno)); }

void FileWriter::flush() {
  for (size_t done = 0; done < buffer_.size();) {
    const ssize_t put = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write");
    done += static_cast<size_t>(put);
  }
  buffer_.clear();
}

void FileWriter::write(std::span<const uint8_t> bytes) {
  constexpr size_t kBuffer_bytes = 1 << 16;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  written_bytes_ += bytes.size();
  if (buffer_.size() >= kBuffer_bytes) flush();
}

void FileWriter::write(const std::string& text) {
  write(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

void FileWriter::commit() {
  flush();
  if (!special_) {
    if (::fsync(fd_) != 0) fail("flush");
    if (::rename(target_.c_str(), path_.c_str()) != 0) fail("rename into place");
  }
  ::close(fd_);
  fd_ = -1;
}

void write_file(const std::string& path, std::span<const uint8_t> bytes) {
  FileWriter writer(path);
  writer.write(bytes);
  writer.commit();
}

void write_file(const std::string& path, const std::string& text) {
  write_file(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

uint32_t crc32_of(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
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
