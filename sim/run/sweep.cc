// SPDX-License-Identifier: MIT
#include "sim/run/sweep.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kPointSchemaVersion = 1;

class State {
 public:
  explicit State(const std::string& folder) : folder_(folder) {
    std::error_code failure;
    fs::create_directories(folder_, failure);
    if (failure || ::access(folder.c_str(), W_OK) != 0)
      throw Error("{}: cannot be used as state folder: {}", folder,
                  failure ? failure.message() : std::strerror(errno));
  }

  // The kept result, or nothing; `changed` then names the fact that differs, if that is why.
  std::optional<SweepResult> load(const SweepPoint& point, const SweepFacts& facts, std::string& changed) const {
    if (!fs::exists(path(point, ".point"))) return std::nullopt;
    try {
      const Json json = Json::parse(read_text_file(path(point, ".point")));
      if (json.at("schema") != "mcusim.sweep_point" || json.at("schema_version") != kPointSchemaVersion)
        throw Error("another schema");
      const SweepFacts made_of = json.at("facts").get<SweepFacts>();
      for (const auto& [name, value] : facts) {
        const auto at = made_of.find(name);
        if (at != made_of.end() && at->second == value) continue;
        changed = name;
        return std::nullopt;
      }
      SweepResult result;
      result.ran = json.at("ran").get<bool>();
      result.reason = json.at("reason").get<std::string>();
      result.outputs_crc32 = json.at("outputs_crc32").get<std::string>();
      if (result.ran)
        result.report = report::from_json(read_text_file(path(point, ".json")), path(point, ".json"));
      return result;
    } catch (const std::exception&) {
      changed = "state file";   // damaged or of another version: as good as none
      return std::nullopt;
    }
  }

  void save(const SweepPoint& point, const SweepFacts& facts, const SweepResult& result) const {
    if (result.ran) write_file(path(point, ".json"), report::to_json(result.report));
    const Json json = {{"schema", "mcusim.sweep_point"}, {"schema_version", kPointSchemaVersion},
                       {"facts", facts},                 {"ran", result.ran},
                       {"reason", result.reason},        {"outputs_crc32", result.outputs_crc32}};
    write_file(path(point, ".point"), json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

 private:
  std::string path(const SweepPoint& point, const char* suffix) const {
    return (folder_ / (point.label() + suffix)).string();
  }

  const fs::path folder_;
};

// Starts the process of one point. It dies with this one, and says nothing but by its
// files and its exit status.
pid_t start(const SweepPoint& point, const SweepFacts& facts, const SweepOptions& options, const State& state) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw Error("sweep: cannot start a process: {}", std::strerror(errno));
  if (child > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  int status = 0;
  try {
    SweepResult result;
    try {
      result = options.run(point);
      result.ran = true;
    } catch (const Error& error) {
      result = {};
      result.reason = error.what();
    }
    state.save(point, facts, result);
  } catch (const std::exception& error) {
    fmt::print(stderr, "mcusim: sweep: {}: {}\n", point.label(), error.what());
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

std::string how_it_died(int status) {
  return WIFSIGNALED(status) ? fmt::format("its process was ended by signal {}", WTERMSIG(status))
                             : fmt::format("its process failed with status {}", WEXITSTATUS(status));
}

}  // namespace

Sweep run_sweep(const std::vector<SweepPoint>& points, const SweepOptions& options) {
  const State state(options.state_folder);
  Sweep sweep;
  sweep.results.resize(points.size());
  std::vector<SweepFacts> facts(points.size());
  std::vector<size_t> waiting;
  for (size_t i = 0; i < points.size(); ++i) {
    sweep.results[i].reason = points[i].problem;
    if (!points[i].problem.empty()) continue;
    facts[i] = options.facts(points[i]);
    std::string changed;
    if (auto kept = state.load(points[i], facts[i], changed)) {
      sweep.results[i] = std::move(*kept);
      ++sweep.kept;
      continue;
    }
    if (!changed.empty()) ++sweep.changed[changed];
    waiting.push_back(i);
  }

  size_t done = points.size() - waiting.size(), next = 0;
  std::map<pid_t, size_t> running;
  const auto tell = [&] {
    if (options.progress) options.progress(done, points.size());
  };
  for (tell(); next < waiting.size() || !running.empty(); tell()) {
    for (; next < waiting.size() && running.size() < std::max(options.jobs, 1u); ++next)
      running[start(points[waiting[next]], facts[waiting[next]], options, state)] = waiting[next];
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended < 0 && errno == EINTR) continue;
    check(ended > 0, "a sweep waits only while a point runs");
    const auto at = running.find(ended);
    if (at == running.end()) continue;
    const size_t i = at->second;
    running.erase(at);
    ++done;
    std::string unreadable;
    auto result = status == 0 ? state.load(points[i], facts[i], unreadable) : std::nullopt;
    if (!result) {
      result.emplace();
      result->reason = status ? how_it_died(status) : "its state file cannot be read back";
      ++sweep.broken;
    }
    sweep.results[i] = std::move(*result);
  }
  return sweep;
}

}  // namespace mcusim
