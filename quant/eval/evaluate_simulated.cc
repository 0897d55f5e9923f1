// SPDX-License-Identifier: MIT
// Evaluation on the emulated target: the sibling program `mcusim` runs each part
// of the samples. The two programs share files, never memory.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/eval/evaluate.h"

extern char** environ;

namespace mcusim {
namespace {

// A folder that goes away with the evaluation.
struct TemporaryFolder {
  std::string path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mcusim-eval-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw Error("{}: cannot make: {}", name, std::strerror(errno));
    path = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// A running child; its messages go to `log`.
struct Child {
  pid_t pid = -1;
  uint64_t first = 0, last = 0;
  std::string output, log;
};

NpyArray rows(const NpyArray& array, uint64_t samples, uint64_t first, uint64_t last) {
  // A lone sample may come without an axis of samples.
  if (samples == 1 && last - first == 1) return array;
  const uint64_t row_bytes = array.bytes.size() / array.shape.at(0);
  NpyArray part{array.dtype, array.shape, {}};
  part.shape[0] = last - first;
  part.bytes.assign(array.bytes.begin() + static_cast<int64_t>(first * row_bytes),
                    array.bytes.begin() + static_cast<int64_t>(last * row_bytes));
  return part;
}

pid_t start(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int cause = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (cause != 0) throw Error("{}: cannot start: {}", words[0], std::strerror(cause));
  return pid;
}

std::string last_line(const std::string& path) {
  std::string text = read_text_file(path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
}

// Waits for every child, so that none outlives the evaluation, then reports the first failure.
void finish(const std::vector<Child>& children) {
  std::string failure;
  for (const Child& child : children) {
    int status = 0;
    while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if ((!WIFEXITED(status) || WEXITSTATUS(status) != 0) && failure.empty())
      failure = fmt::format("mcusim run on samples {}..{} failed: {}", child.first, child.last - 1,
                            last_line(child.log));
  }
  if (!failure.empty()) throw Error(failure);
}

}  // namespace

Outputs evaluate_simulated(const std::vector<uint8_t>& container, const Samples& samples,
                           unsigned threads) {
  const TemporaryFolder folder;
  const std::string program = sibling_program("mcusim"), net_path = folder.path + "/net.bin";
  write_file(net_path, container);
  const IntNet net = decode(container.data(), container.size());
  const IntTensor& tensor = net.tensors[static_cast<size_t>(net.outputs.at(0))];
  const size_t values = size_t{tensor.h} * tensor.w * tensor.c;

  std::vector<Child> children;
  const uint64_t parts = std::min<uint64_t>(std::max(threads, 1u), samples.count);
  for (uint64_t part = 0; part < parts; ++part) {
    Child child;
    child.first = samples.count * part / parts;
    child.last = samples.count * (part + 1) / parts;
    const std::string stem = fmt::format("{}/{}", folder.path, part);
    child.output = stem + "_y.npy";
    child.log = stem + ".log";
    try {
      write_file(stem + "_x.npy",
                 format_npy(rows(samples.array, samples.count, child.first, child.last)));
      child.pid = start({program, "run", net_path, "--input", stem + "_x.npy", "--output",
                         child.output, "--fast", "--quiet"},
                        child.log);
    } catch (const Error&) {
      finish(children);
      throw;
    }
    children.push_back(child);
  }
  finish(children);

  Outputs outputs;
  for (const Child& child : children) {
    const NpyArray array = load_array(parse_selector(child.output));
    const uint64_t count = child.last - child.first;
    if (array.item_bytes() != 1 || array.bytes.size() != count * values)
      throw Error("mcusim run: {} output bytes for {} samples of {}", array.bytes.size(), count,
                  values);
    const uint8_t offset = tensor.signed_view ? static_cast<uint8_t>(1u << (tensor.bits - 1)) : 0;
    for (uint64_t i = 0; i < count; ++i) {
      const auto begin = array.bytes.begin() + static_cast<int64_t>(i * values);
      std::vector<uint8_t> stored(begin, begin + static_cast<int64_t>(values));
      for (uint8_t& value : stored) value = static_cast<uint8_t>(value + offset);
      outputs.push_back(std::move(stored));
    }
  }
  return outputs;
}

}  // namespace mcusim
