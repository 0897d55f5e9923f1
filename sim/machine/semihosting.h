// SPDX-License-Identifier: MIT
// Arm semihosting (BKPT 0xAB): console, host files under one directory the user
// names, exit code, clock from simulated time. Arm IHI "Semihosting for AArch32 and
// AArch64", version 2.0. Knows the guest through a small port, not the engine.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mcusim {

// What a call needs of the machine. Memory access fails softly: false outside memory.
struct SemihostingPort {
  std::function<bool(uint32_t, std::span<uint8_t>)> read;
  std::function<bool(uint32_t, std::span<const uint8_t>)> write;
  std::function<void(std::string_view)> console;
  std::function<std::optional<uint8_t>()> input;
  std::function<double()> seconds;
  std::function<uint64_t()> cycles;
  std::function<uint64_t()> core_hz;
  uint32_t heap_base = 0, heap_limit = 0, stack_base = 0, stack_limit = 0;
};

class Semihosting {
 public:
  Semihosting() = default;
  ~Semihosting() { reset(); }
  Semihosting(const Semihosting&) = delete;
  Semihosting& operator=(const Semihosting&) = delete;

  void configure(SemihostingPort port, std::string directory, std::string command_line);
  SemihostingPort& port() { return port_; }
  void reset();   // closes files

  struct Outcome {
    uint32_t result = 0;                 // for R0
    std::optional<int> exit_code;        // the guest ended itself
    std::optional<std::string> fault;    // a call that cannot be served, by name
  };
  Outcome call(uint32_t operation, uint32_t parameter);

 private:
  struct File {
    std::FILE* stream = nullptr;         // nullptr: console or features
    bool used = false, is_console = false, is_features = false;
    size_t position = 0;                 // in the features file
  };

  std::optional<std::vector<uint32_t>> words(uint32_t address, size_t count);
  std::optional<std::string> text(uint32_t address, uint32_t length);
  std::optional<std::string> host_path(const std::string& name) const;
  File* file(uint32_t handle);
  uint32_t fail(int error_number);
  uint32_t open(const std::string& name, uint32_t mode);
  uint32_t read_file(File& file, uint32_t buffer, uint32_t length);
  uint32_t write_file(File& file, uint32_t buffer, uint32_t length);
  uint32_t file_length(File& file);
  Outcome file_call(uint32_t operation, uint32_t parameter);

  SemihostingPort port_;
  std::string directory_, command_line_;
  std::vector<File> files_;              // handle 1 is files_[0]
  int error_number_ = 0;
};

}  // namespace mcusim
