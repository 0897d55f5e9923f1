// SPDX-License-Identifier: MIT
// One row per operation that takes part in the protocol; an unknown operation is a
// fault that names its number. File names may not leave the user's directory.
#include "sim/machine/semihosting.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

enum Operation : uint32_t {
  kOpen = 0x01, kClose = 0x02, kWritec = 0x03, kWrite0 = 0x04, kWrite = 0x05, kRead = 0x06,
  kReadc = 0x07, kIsError = 0x08, kIsTty = 0x09, kSeek = 0x0A, kFlen = 0x0C, kTmpnam = 0x0D,
  kRemove = 0x0E, kRename = 0x0F, kClock = 0x10, kTime = 0x11, kErrno = 0x13,
  kGetCmdline = 0x15, kHeapInfo = 0x16, kExit = 0x18, kExitExtended = 0x20, kElapsed = 0x30,
  kTickFreq = 0x31,
};
constexpr uint32_t kFailed = 0xFFFFFFFF;
constexpr uint32_t kApplicationExit = 0x20026;   // ADP_Stopped_ApplicationExit
constexpr uint32_t kLongestName = 4096, kMostFiles = 64;
constexpr uint32_t kChunk = 65536;
// Extensions offered: bit 0 SYS_EXIT_EXTENDED, bit 1 separate stdout and stderr.
constexpr uint8_t kFeatures[] = {'S', 'H', 'F', 'B', 0x03};
constexpr const char* kModes[] = {"r",  "rb",  "r+", "r+b", "w",  "wb",
                                  "w+", "w+b", "a",  "ab",  "a+", "a+b"};

}  // namespace

void Semihosting::configure(SemihostingPort port, std::string directory,
                            std::string command_line) {
  port_ = std::move(port);
  directory_ = std::move(directory);
  command_line_ = std::move(command_line);
}

void Semihosting::reset() {
  for (auto& file : files_)
    if (file.stream != nullptr) std::fclose(file.stream);
  files_.clear();
  error_number_ = 0;
}

std::optional<std::vector<uint32_t>> Semihosting::words(uint32_t address, size_t count) {
  std::vector<uint32_t> values(count);
  if (!port_.read(address, {reinterpret_cast<uint8_t*>(values.data()), 4 * count})) return {};
  return values;
}

std::optional<std::string> Semihosting::text(uint32_t address, uint32_t length) {
  if (length > kLongestName) return {};
  std::string value(length, '\0');
  if (!port_.read(address, {reinterpret_cast<uint8_t*>(value.data()), length})) return {};
  return value;
}

// Under the user's directory, links resolved; nothing when no directory was named.
std::optional<std::string> Semihosting::host_path(const std::string& name) const {
  if (directory_.empty() || name.empty() || name.find('\0') != name.npos) return {};
  std::error_code error;
  const auto root = std::filesystem::weakly_canonical(directory_, error);
  if (error) return {};
  const auto path = std::filesystem::weakly_canonical(root / name, error);
  if (error) return {};
  const auto relative = path.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..") return {};
  if (std::filesystem::is_directory(path, error)) return {};   // fopen would open it
  return path.string();
}

Semihosting::File* Semihosting::file(uint32_t handle) {
  if (handle == 0 || handle > files_.size() || !files_[handle - 1].used) return nullptr;
  return &files_[handle - 1];
}

uint32_t Semihosting::fail(int error_number) {
  error_number_ = error_number;
  return kFailed;
}

uint32_t Semihosting::open(const std::string& name, uint32_t mode) {
  if (mode >= std::size(kModes)) return fail(EINVAL);
  File opened;
  opened.used = true;
  if (name == ":tt") {
    opened.is_console = true;
  } else if (name == ":semihosting-features") {
    if (mode > 1) return fail(EACCES);
    opened.is_features = true;
  } else {
    const auto path = host_path(name);
    if (!path) return fail(EACCES);
    opened.stream = std::fopen(path->c_str(), kModes[mode]);
    if (opened.stream == nullptr) return fail(errno);
  }
  for (size_t i = 0; i < files_.size(); ++i)
    if (!files_[i].used) {
      files_[i] = opened;
      return static_cast<uint32_t>(i + 1);
    }
  if (files_.size() >= kMostFiles) {
    if (opened.stream != nullptr) std::fclose(opened.stream);
    return fail(EMFILE);
  }
  files_.push_back(opened);
  return static_cast<uint32_t>(files_.size());
}

// Returns the number of bytes not read.
uint32_t Semihosting::read_file(File& file, uint32_t buffer, uint32_t length) {
  std::vector<uint8_t> chunk;
  uint32_t left = length;
  while (left != 0) {
    chunk.resize(std::min(left, kChunk));
    size_t got = 0;
    if (file.is_console) {
      while (got < chunk.size()) {
        const auto byte = port_.input();
        if (!byte) break;
        chunk[got++] = *byte;
        if (*byte == '\n') break;
      }
    } else if (file.is_features) {
      while (got < chunk.size() && file.position < sizeof kFeatures)
        chunk[got++] = kFeatures[file.position++];
    } else {
      got = std::fread(chunk.data(), 1, chunk.size(), file.stream);
    }
    if (got == 0) break;
    if (!port_.write(buffer, {chunk.data(), got})) return fail(EFAULT);
    buffer += static_cast<uint32_t>(got);
    left -= static_cast<uint32_t>(got);
    if (got < chunk.size()) break;
  }
  return left;
}

// Returns the number of bytes not written.
uint32_t Semihosting::write_file(File& file, uint32_t buffer, uint32_t length) {
  std::vector<uint8_t> chunk;
  uint32_t left = length;
  while (left != 0) {
    chunk.resize(std::min(left, kChunk));
    if (!port_.read(buffer, chunk)) return fail(EFAULT);
    if (file.is_console) {
      port_.console({reinterpret_cast<const char*>(chunk.data()), chunk.size()});
    } else if (file.stream == nullptr ||
               std::fwrite(chunk.data(), 1, chunk.size(), file.stream) != chunk.size()) {
      return left;
    }
    buffer += static_cast<uint32_t>(chunk.size());
    left -= static_cast<uint32_t>(chunk.size());
  }
  return 0;
}

uint32_t Semihosting::file_length(File& file) {
  if (file.is_console) return 0;
  if (file.is_features) return sizeof kFeatures;
  const long position = std::ftell(file.stream);
  std::fseek(file.stream, 0, SEEK_END);
  const long length = std::ftell(file.stream);
  std::fseek(file.stream, position, SEEK_SET);
  return static_cast<uint32_t>(length);
}

Semihosting::Outcome Semihosting::file_call(uint32_t operation, uint32_t parameter) {
  const size_t count = operation == kClose || operation == kIsTty || operation == kFlen ? 1
                       : operation == kRemove || operation == kSeek ? 2
                       : operation == kRename ? 4 : 3;
  const auto arguments = words(parameter, count);
  if (!arguments)
    return {0, {}, fmt::format("semihosting operation 0x{:02x}: parameter block at 0x{:08x} is "
                               "outside memory", operation, parameter)};
  const auto& a = *arguments;
  if (operation == kOpen) {
    const auto name = text(a[0], a[2]);
    return {name ? open(*name, a[1]) : fail(EFAULT), {}, {}};
  }
  if (operation == kRemove || operation == kRename) {
    const auto from = text(a[0], a[1]);
    const auto from_path = from ? host_path(*from) : std::nullopt;
    if (!from_path) return {fail(EACCES), {}, {}};
    if (operation == kRemove) return {::remove(from_path->c_str()) == 0 ? 0 : fail(errno), {}, {}};
    const auto to = text(a[2], a[3]);
    const auto to_path = to ? host_path(*to) : std::nullopt;
    if (!to_path) return {fail(EACCES), {}, {}};
    return {::rename(from_path->c_str(), to_path->c_str()) == 0 ? 0 : fail(errno), {}, {}};
  }
  File* handle = file(a[0]);
  if (handle == nullptr) return {fail(EBADF), {}, {}};
  switch (operation) {
    case kClose:
      if (handle->stream != nullptr) std::fclose(handle->stream);
      *handle = File{};
      return {};
    case kWrite: return {write_file(*handle, a[1], a[2]), {}, {}};
    case kRead: return {read_file(*handle, a[1], a[2]), {}, {}};
    case kIsTty: return {handle->is_console, {}, {}};
    case kFlen: return {file_length(*handle), {}, {}};
    case kSeek:
      if (handle->is_features) handle->position = a[1];
      else if (handle->stream == nullptr || std::fseek(handle->stream, a[1], SEEK_SET) != 0)
        return {fail(ESPIPE), {}, {}};
      return {};
    default: return {kFailed, {}, {}};
  }
}

Semihosting::Outcome Semihosting::call(uint32_t operation, uint32_t parameter) {
  Outcome outcome;
  const auto put = [&](uint32_t address, std::span<const uint8_t> bytes) {
    outcome.result = port_.write(address, bytes) ? 0 : fail(EFAULT);
  };
  switch (operation) {
    case kOpen: case kClose: case kWrite: case kRead: case kIsTty: case kSeek: case kFlen:
    case kRemove: case kRename:
      return file_call(operation, parameter);
    case kWritec: case kWrite0: {
      // A string without end stops at the end of memory.
      char character = 0;
      std::string line;
      while (port_.read(parameter, {reinterpret_cast<uint8_t*>(&character), 1})) {
        if (operation == kWrite0 && character == '\0') break;
        line += character;
        ++parameter;
        if (operation == kWritec) break;
      }
      port_.console(line);
      return outcome;
    }
    case kReadc: {
      const auto byte = port_.input();
      outcome.result = byte ? *byte : kFailed;
      return outcome;
    }
    case kIsError: {
      const auto status = words(parameter, 1);
      outcome.result = status && static_cast<int32_t>((*status)[0]) < 0 ? 1 : 0;
      return outcome;
    }
    case kTmpnam: outcome.result = fail(EACCES); return outcome;
    case kClock: outcome.result = static_cast<uint32_t>(port_.seconds() * 100); return outcome;
    case kTime: outcome.result = static_cast<uint32_t>(port_.seconds()); return outcome;
    case kErrno: outcome.result = static_cast<uint32_t>(error_number_); return outcome;
    case kTickFreq: outcome.result = static_cast<uint32_t>(port_.core_hz()); return outcome;
    case kElapsed: {
      const uint64_t cycles = port_.cycles();
      uint8_t bytes[8];
      std::memcpy(bytes, &cycles, 8);
      put(parameter, bytes);
      return outcome;
    }
    case kGetCmdline: {
      const auto block = words(parameter, 2);
      if (!block || (*block)[1] < command_line_.size() + 1) {
        outcome.result = kFailed;
        return outcome;
      }
      const auto* line = reinterpret_cast<const uint8_t*>(command_line_.c_str());
      put((*block)[0], {line, command_line_.size() + 1});
      const uint32_t length = static_cast<uint32_t>(command_line_.size());
      if (outcome.result == 0)
        put(parameter + 4, {reinterpret_cast<const uint8_t*>(&length), 4});
      return outcome;
    }
    case kHeapInfo: {
      const auto block = words(parameter, 1);
      const uint32_t info[4] = {port_.heap_base, port_.heap_limit, port_.stack_base,
                                port_.stack_limit};
      if (block) put((*block)[0], {reinterpret_cast<const uint8_t*>(info), sizeof info});
      return outcome;
    }
    case kExit:
      outcome.exit_code = parameter == kApplicationExit ? 0 : 1;
      return outcome;
    case kExitExtended: {
      const auto block = words(parameter, 2);
      outcome.exit_code = !block ? 1
                          : (*block)[0] == kApplicationExit ? static_cast<int>((*block)[1]) : 1;
      return outcome;
    }
    default:
      outcome.fault = fmt::format("unknown semihosting operation 0x{:02x}", operation);
      return outcome;
  }
}

}  // namespace mcusim
