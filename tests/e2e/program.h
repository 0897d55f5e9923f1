// SPDX-License-Identifier: MIT
// Runs the built programs as a user does: arguments in, exit status and both
// streams out.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/image/tool.h"

extern char** environ;

namespace mcusim::testing {

struct Finished {
  int status = -1;          // exit status; 128 + signal when killed
  std::string out, err;
};

// `name` is one of our programs, or the path of another.
inline Finished run_program(std::vector<std::string> arguments, const std::string& name = "mcusim") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out"), err = directory.file("err");
  arguments.insert(arguments.begin(), name.starts_with('/') ? name : std::string(MCUSIM_BINARY_DIR) + "/" + name);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  const int failure = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure) throw Error("{}: cannot run", arguments[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_text_file(out), read_text_file(err)};
}

}  // namespace mcusim::testing
