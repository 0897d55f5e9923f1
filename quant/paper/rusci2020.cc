// SPDX-License-Identifier: MIT
// Rusci, Fariselli, Capotondi, Benini: "Leveraging Automated Mixed-Low-Precision
// Quantization for tiny edge microcontrollers", arXiv 2008.05124: MobileNetV1, V2
// and MNasNet in the memories of microcontrollers, and searches for widths compared
// at equal budget: by rule, exact, at random and by reinforcement learning.
#include <fmt/format.h>

#include <algorithm>

#include "memmap/base/error.h"
#include "quant/paper/assignments.h"
#include "quant/paper/papers.h"
#include "quant/paper/workshop.h"

namespace mcusim::paper {
namespace {

struct Candidate {
  const char* family;
  double width;
  uint32_t resolution;
};
constexpr Candidate kCandidates[] = {
    {"mobilenet_v1", 1.0, 224}, {"mobilenet_v1", 0.75, 224}, {"mobilenet_v1", 0.5, 224},
    {"mobilenet_v2", 1.0, 224}, {"mobilenet_v2", 0.5, 224},  {"mnasnet_a1", 1.0, 224},
    {"mnasnet_a1", 0.5, 224},   {"mnasnet_b1", 1.0, 224},    {"mnasnet_b1", 0.5, 224},
};
struct Memory {
  const char *id, *title;
  plan::Limits limits;
};
constexpr Memory kMemories[] = {
    {"rusci2020_2mb_512kb", "In 2 MB of flash and 512 kB of RAM", kTwoMegabytes},
    {"rusci2020_1mb_512kb", "In 1 MB of flash and 512 kB of RAM", {1'024'000, 512'000}},
};
constexpr ModeRow kMode = kModes[1];

std::string percent(uint64_t part, uint64_t whole) {
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void families(const Options& options, Workshop& workshop, Page& page) {
  std::vector<Network> networks;
  std::string known;
  for (const auto& c : kCandidates) {
    auto network = network_of(c.family, c.width, c.resolution);
    network.name = fmt::format("{}_{}", c.family, network.name);
    known += (known.empty() ? "" : ", ") + network.name;
    if (options.networks.empty() ||
        std::find(options.networks.begin(), options.networks.end(), network.name) != options.networks.end())
      networks.push_back(std::move(network));
  }
  for (const auto& name : options.networks)
    if (std::none_of(networks.begin(), networks.end(), [&](const Network& network) { return network.name == name; }))
      throw UsageError("paper: no network {}; known: {}", name, known);
  std::vector<Build> builds;
  for (const auto& memory : kMemories)
    for (const auto& network : networks) builds.push_back(zoo_build(network, memory.limits, kMode));
  const auto built = workshop.make(builds);
  size_t next = 0;
  for (const auto& memory : kMemories) {
    auto columns = assignment_columns();
    columns.push_back({"flash filled", Origin::planned});
    columns.push_back({"RAM filled", Origin::planned});
    Table table{memory.id, memory.title,
                fmt::format("Limits {} and {} bytes; widths by the memory-driven rule, arithmetic {}. How far the memories are "
                            "filled is what a better search could still use.",
                            memory.limits.flash_bytes, memory.limits.ram_bytes, kMode.shown),
                columns, {}};
    for (const auto& network : networks) {
      auto row = assignment_row(network, kMode, memory.limits, built[next++]);
      const auto plan = plan::rule_search(network.problem, memory.limits, kMode.mode);
      const bool fits = !plan.shortfall;
      row.push_back(fits ? percent(plan::paper_bytes(network.problem, plan.widths, kMode.mode), memory.limits.flash_bytes) : "-");
      row.push_back(fits ? percent(plan::peak_activation_bytes(network.problem, plan.widths), memory.limits.ram_bytes) : "-");
      table.add(std::move(row));
    }
    page.tables.push_back(std::move(table));
  }
}

// One way to find widths.
struct Search {
  std::string name, method;
  unsigned seed = 0;  // 0: it has none
};

void searches(const Options& options, Workshop& workshop, Page& page) {
  const Data& data = *options.data;
  // Half of what 8 bits take, of both memories.
  const auto eight = plan::all_at(data.problem, 8, 8);
  const plan::Limits limits = {plan::paper_bytes(data.problem, eight, kMode.mode) / 2,
                               plan::peak_activation_bytes(data.problem, eight) / 2};
  std::vector<Search> all = {{"rule", "rule"}, {"exact", "exact"}};
  for (const char* method : {"random", "rl"})
    for (unsigned seed = 1; seed <= options.seeds; ++seed) all.push_back({fmt::format("{}, seed {}", method, seed), method, seed});

  const std::string calibration = fmt::format("{}[0:{}]", data.selector, data.calibration);
  std::vector<Step> plans;
  for (const auto& search : all) {
    const std::string name = fmt::format("search_{}_{}", search.method, search.seed);
    Step step{name, {"mcusim", "plan", data.model, "--flash", fmt::format("{}", limits.flash_bytes), "--ram",
                     fmt::format("{}", limits.ram_bytes), "--method", search.method},
              {"-o", workshop.file(name + ".json")}, {data.model}};
    if (search.method != "rule") step.words.insert(step.words.end(), {"--calibration", calibration});
    if (search.method != "rule") step.words.insert(step.words.end(), data.input_words.begin(), data.input_words.end());
    if (search.seed != 0)
      step.words.insert(step.words.end(), {"--labels", data.labels_text, "--seed", fmt::format("{}", search.seed), "--episodes",
                                           fmt::format("{}", options.episodes), "--scores", workshop.file(name + ".scores")});
    plans.push_back(std::move(step));
  }
  const auto planned = workshop.run("searching", plans);

  std::vector<Build> builds;
  for (size_t i = 0; i < all.size(); ++i) {
    Build build{plans[i].name, {"mcusim", "quantize", data.model, "--calibration", calibration, "--method", "pc-icn", "--bits",
                                plans[i].output.back()},
                {data.model, plans[i].output.back()}, true};
    build.words.insert(build.words.end(), data.input_words.begin(), data.input_words.end());
    if (planned[i].made) builds.push_back(std::move(build));
  }
  const auto built = workshop.make(builds);

  const uint64_t judged = data.labels.size() - data.calibration;
  Table table{"rusci2020_searches", "Searches on the data given, in half the memories of 8 bits",
              fmt::format("Limits {} and {} bytes. Random and reinforcement learning try {} plans each and are scored on the {} "
                          "calibration inputs, without retraining; all are judged on the other {}, of which the float network has {} "
                          "right.", limits.flash_bytes, limits.ram_bytes, options.episodes, data.calibration, judged, data.float_correct),
              {{"search"}, {"right", Origin::measured}, {"top-1", Origin::measured}, {"container B", Origin::built},
               {"arena B", Origin::simulated}, {"ms", Origin::simulated}}, {}};
  Figure figure{"rusci2020_searches_figure", "Searches: accuracy and latency",
                "The plans of the table above.", "ms", "top-1, %", false, false, {}};
  size_t next = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    std::vector<std::string> row = {all[i].name};
    const Built* result = planned[i].made ? &built[next++] : nullptr;
    if (!result || !result->run) {
      row.push_back(short_refusal(result ? result->refusal : planned[i].refusal));
      row.resize(table.columns.size(), "-");
      table.add(std::move(row));
      continue;
    }
    const uint64_t correct = result->correct.value_or(0);
    const double share = 100.0 * static_cast<double>(correct) / static_cast<double>(judged);
    const RunFacts& run = *result->run;
    table.add({all[i].name, fmt::format("{}", correct), fmt::format("{:.2f} %", share), fmt::format("{}", run.container_bytes),
               fmt::format("{}", run.arena_bytes), fmt::format("{:.2f}", run.milliseconds())});
    const auto at = std::find_if(figure.series.begin(), figure.series.end(), [&](const Series& s) { return s.name == all[i].method; });
    Series& series = at != figure.series.end() ? *at : figure.series.emplace_back(Series{all[i].method, {}, false});
    series.points.push_back({run.milliseconds(), share, all[i].seed == 0 ? all[i].method : fmt::format("{}", all[i].seed)});
  }
  page.tables.push_back(std::move(table));
  if (!figure.series.empty()) page.figures.push_back(std::move(figure));
}

}  // namespace

Page rusci2020(const Options& options) {
  Page page{"rusci2020", "Automated mixed-low-precision quantization, redone", "", {}, {}, {}, {}};
  Workshop workshop(options, page);
  families(options, workshop, page);
  if (options.data) searches(options, workshop, page);
  page.introduction = "Rusci, Fariselli, Capotondi, Benini, arXiv 2008.05124. " + workshop.provenance();
  page.needs_imagenet = {"top-1 of MobileNetV1, V2 and MNasNet by search and memory (published: 68.4 % for MobileNetV1 in 2 MB and "
                         "512 kB, abstract)",
                         "the comparison with non-uniform (k-means) quantisation at 2 MB"};
  if (!options.data)
    page.needs_imagenet.push_back("the comparison of searches on other data: give --model, --data and --labels");
  return page;
}

}  // namespace mcusim::paper
