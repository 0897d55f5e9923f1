// SPDX-License-Identifier: MIT
// Running the cross linker: where the tools and libraries are, a private
// directory that is always removed, and one clear line when a tool fails.
#pragma once

#include <string>
#include <vector>

namespace mcusim {

// A fresh directory under the system's temporary folder, removed with its
// contents on every way out.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Runs a program in `directory`, without a shell; throws Error with the first
// lines it printed when it fails. Returns what it printed.
std::string run_tool(const std::vector<std::string>& command, const std::string& directory);

struct CrossTools {
  std::string linker;              // arm-none-eabi-ld
  std::string libgcc, libc;        // of thumb/v7e-m+dp/hard
};

// As found when mcusim was built, else by asking arm-none-eabi-g++; throws Error
// naming the Debian packages when there is none.
CrossTools find_cross_tools();

}  // namespace mcusim
