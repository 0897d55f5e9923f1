// SPDX-License-Identifier: MIT
#include "quant/paper/workshop.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"

namespace mcusim::paper {
namespace {

// Answers of the network in `path` ([n, classes]) that meet the labels behind the calibration inputs.
uint64_t count_correct(const std::string& path, const Data& data) {
  const NpyArray array = load_array(parse_selector(path));
  const auto values = array.as_integers();
  const uint64_t count = data.labels.size() - data.calibration;
  if (count == 0 || values.size() % count != 0)
    throw Error("{}: {} values for {} inputs", path, values.size(), count);
  const size_t classes = values.size() / count;
  uint64_t correct = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(i * classes);
    const auto best = std::max_element(first, first + static_cast<std::ptrdiff_t>(classes)) - first;
    correct += best == data.labels[data.calibration + i];
  }
  return correct;
}

}  // namespace

RunFacts read_run_facts(const std::string& path) {
  try {
    const auto json = nlohmann::json::parse(read_text_file(path));
    RunFacts facts;
    facts.cycles = json.at("totals").at("cycles");
    facts.instructions = json.at("totals").at("instructions");
    facts.macs = json.at("totals").at("macs");
    facts.container_bytes = json.at("program").at("container_bytes");
    facts.image_bytes = json.at("program").at("image_bytes");
    facts.core_hz = json.at("board").at("core_hz");
    facts.timing_table = json.at("timing").at("table");
    facts.error_band = json.at("timing").at("error_band");
    for (const auto& row : json.at("memory"))
      if (row.at("use") == "arena") facts.arena_bytes = row.at("peak_bytes");
    if (facts.cycles == 0) throw Error("{}: a run without cycles", path);
    return facts;
  } catch (const nlohmann::json::exception& error) {
    throw Error("{}: not a run report: {}", path, error.what());
  }
}

std::vector<StepResult> Workshop::run(const char* what, const std::vector<Step>& steps) {
  const auto results = run_steps(steps, options_.folder + "/work", options_.jobs, [&](size_t done) {
    if (options_.progress) options_.progress(what, done, steps.size());
  });
  for (const auto& step : steps) page_.commands.push_back(shown_command(step));
  return results;
}

std::vector<Built> Workshop::make(const std::vector<Build>& builds) {
  std::vector<Built> out(builds.size());
  std::vector<Step> steps;
  for (const auto& build : builds)
    steps.push_back({build.name + "_make", build.words, {"-o", file(build.name + ".bin")}, build.inputs});
  const auto made = run("building networks", steps);

  std::vector<Step> runs, judgements;
  std::vector<size_t> run_owner, judged;
  for (size_t i = 0; i < builds.size(); ++i) {
    out[i].refusal = made[i].refusal;
    if (!made[i].made) continue;
    const std::string net = file(builds[i].name + ".bin");
    runs.push_back({builds[i].name + "_run", {"mcusim", "run", net, "--seed", "1", "--board", options_.board, "--quiet"},
                    {"--json", file(builds[i].name + ".json")}, {net}});
    run_owner.push_back(i);
    if (!builds[i].judge || !options_.data) continue;
    const Data& data = *options_.data;
    const std::string inputs = fmt::format("{}[{}:{}]", data.selector, data.calibration, data.labels.size());
    judgements.push_back({builds[i].name + "_eval",
                          {"mcusim", "eval", net, "--data", inputs, "--threads", "1"},
                          {"--output", file(builds[i].name + "_y.npy")},
                          {net}});
    judged.push_back(i);
  }
  const auto ran = run("simulating", runs);
  for (size_t r = 0; r < runs.size(); ++r)
    if (ran[r].made) out[run_owner[r]].run = last_run_ = read_run_facts(runs[r].output.back());
    else out[run_owner[r]].refusal = ran[r].refusal;
  if (judgements.empty()) return out;
  const auto answered = run("evaluating", judgements);
  for (size_t j = 0; j < judgements.size(); ++j) {
    if (!answered[j].made) throw Error("{}: {}", shown_command(judgements[j]), answered[j].refusal);
    out[judged[j]].correct = count_correct(judgements[j].output.back(), *options_.data);
  }
  return out;
}

std::string Workshop::provenance() const {
  if (!last_run_) return fmt::format("Nothing ran on board {}.", options_.board);
  return fmt::format("Board {} at {:g} MHz, timing table {}, error band of its cycles: {}.", options_.board,
                     last_run_->core_hz / 1e6, last_run_->timing_table, last_run_->error_band);
}

std::string short_refusal(const std::string& refusal) {
  std::string text = refusal;
  if (text.starts_with("mcusim: ")) text = text.substr(8);
  constexpr size_t kCell = 90;
  return "refused: " + (text.size() <= kCell ? text : text.substr(0, kCell - 2) + "..");
}

}  // namespace mcusim::paper
