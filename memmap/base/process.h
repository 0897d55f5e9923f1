// SPDX-License-Identifier: MIT
// Other programs: run one, or many side by side, without a shell. A child reads
// nothing, prints into a log file, and never outlives the object that started it.
#pragma once

#include <sys/types.h>

#include <functional>
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

struct Command {
  std::vector<std::string> words;  // the program, found by PATH unless it has a slash, and its arguments
  std::string log;                 // stdout and stderr go here; an absolute path
  std::string directory;           // to start in; empty: this process's
};

class Child {
 public:
  explicit Child(const Command& command);  // throws Error when it cannot be started
  ~Child();                                // kills it when nobody waited
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  // Exit status; 128 + signal when a signal ended it.
  int wait();
  int descriptor() const { return descriptor_; }  // readable once it has ended (pidfd)

 private:
  void release();

  pid_t pid_ = -1;
  int descriptor_ = -1;
};

// Runs one program to its end in `directory`, where it also leaves its log; throws
// Error with the first lines it printed when its status is not 0. Returns what it printed.
std::string run_tool(const std::vector<std::string>& words, const std::string& directory);

// Runs all commands, at most `parallel` at once, started in order. `finished` is
// called here, in the order they end, with index and exit status; when it throws,
// the running ones are killed and the exception goes on.
void run_commands(const std::vector<Command>& commands, unsigned parallel,
                  const std::function<void(size_t index, int status)>& finished);

// What a failed program had to say: the first or the last lines of its log, joined by "; ".
std::string first_lines(const std::string& text, size_t lines);
std::string last_line(const std::string& text);

}  // namespace mcusim
