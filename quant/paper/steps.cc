// SPDX-License-Identifier: MIT
#include "quant/paper/steps.h"

#include <algorithm>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/process.h"

namespace mcusim::paper {
namespace {

namespace fs = std::filesystem;

std::string digest(const std::string& path) { return fmt::format("{:08x}", crc32_of(read_file(path))); }

// The bytes of everything that decides what our programs make: both programs, the
// boards and the code that runs on the target.
std::string tools_digest() {
  std::vector<std::string> paths = {sibling_program("mcusim"), sibling_program("mcusim-net")};
  for (const auto& entry : fs::recursive_directory_iterator(data_directory()))
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  std::string digests;
  for (const auto& path : paths) digests += digest(path);
  const auto* bytes = reinterpret_cast<const uint8_t*>(digests.data());
  return fmt::format("{:08x}", crc32_of({bytes, digests.size()}));
}

std::string key_of(const Step& step, const std::string& tools) {
  std::string key = tools + "\n";
  for (const auto& word : step.words) key += word + "\n";
  for (const auto& word : step.output) key += word + "\n";
  for (const auto& input : step.inputs) key += input + " " + (fs::exists(input) ? digest(input) : "missing") + "\n";
  return key;
}

bool is_done(const Step& step, const std::string& key_path, const std::string& key) {
  return fs::exists(step.output.back()) && fs::exists(key_path) && read_text_file(key_path) == key;
}

}  // namespace

std::string shown_command(const Step& step) {
  std::string text;
  const auto add = [&](const std::string& word) {
    const bool path = word.starts_with('/');
    text += (text.empty() ? "" : " ") + (path ? fs::path(word).filename().string() : word);
  };
  for (const auto& word : step.words) add(word);
  for (const auto& word : step.output) add(word);
  return text;
}

std::vector<StepResult> run_steps(const std::vector<Step>& steps, const std::string& folder, unsigned jobs,
                                  const std::function<void(size_t done)>& progress) {
  fs::create_directories(folder);
  const std::string tools = tools_digest();
  std::vector<StepResult> results(steps.size());
  std::vector<Command> commands;
  std::vector<size_t> owners;
  std::vector<std::string> keys, key_paths;
  size_t done = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const std::string key = key_of(step, tools), key_path = folder + "/" + step.name + ".key";
    if (is_done(step, key_path, key)) {
      results[i].made = true;
      ++done;
      continue;
    }
    Command command{step.words, folder + "/" + step.name + ".log", folder};
    command.words[0] = sibling_program(command.words[0]);
    command.words.insert(command.words.end(), step.output.begin(), step.output.end());
    commands.push_back(std::move(command));
    owners.push_back(i);
    keys.push_back(key);
    key_paths.push_back(key_path);
  }
  progress(done);
  run_commands(commands, jobs, [&](size_t index, int status) {
    const std::string said = last_line(read_text_file(commands[index].log));
    if (status != 0 && status != 1)
      throw Error("{}: status {}: {}", shown_command(steps[owners[index]]), status, said);
    StepResult& result = results[owners[index]];
    result.made = status == 0;
    if (status == 0) write_file(key_paths[index], keys[index]);
    else result.refusal = said;
    progress(++done);
  });
  return results;
}

}  // namespace mcusim::paper
