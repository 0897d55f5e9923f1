// SPDX-License-Identifier: MIT
// Whole files in and out. Writing is atomic: a temporary beside the target,
// flushed, then renamed, so a full disk never leaves half a file over a good one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim {

std::vector<uint8_t> read_file(const std::string& path);  // throws Error
std::string read_text_file(const std::string& path);      // throws Error
void write_file(const std::string& path, std::span<const uint8_t> bytes);
void write_file(const std::string& path, const std::string& text);

// The same for output that is streamed: nothing appears at `path` before commit(),
// and a writer that is dropped without it leaves no trace.
class FileWriter {
 public:
  explicit FileWriter(const std::string& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const uint8_t> bytes);
  void write(const std::string& text);
  uint64_t written_bytes() const { return written_bytes_; }
  void commit();

 private:
  [[noreturn]] void fail(const char* what);
  void flush();

  std::string path_, target_;
  bool special_ = false;       // a device or pipe, written in place
  int fd_ = -1;
  std::vector<uint8_t> buffer_;
  uint64_t written_bytes_ = 0;
};

// CRC-32 (IEEE 802.3), as zip files and containers have it.
uint32_t crc32_of(std::span<const uint8_t> bytes);

// Directory that holds boards/ and firmware/: MCUSIM_HOME if set, else relative
// to the running program (build tree or installed), so the tree can be moved.
std::string data_directory();
// Path of the sibling program `name` beside the running one.
std::string sibling_program(const std::string& name);

}  // namespace mcusim
