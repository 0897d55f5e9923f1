// SPDX-License-Identifier: MIT
// Rusci, Capotondi, Benini: "Memory-Driven Mixed Low Precision Quantization For
// Enabling Deep Network Inference On Microcontrollers", arXiv 1905.13082: the byte
// model over methods, the 16 MobileNetV1 under the board's memories per layer and
// per channel, their latency at 400 MHz, tighter memories, and accuracy by method.
#include <fmt/format.h>

#include <algorithm>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/paper/assignments.h"
#include "quant/paper/papers.h"
#include "quant/paper/workshop.h"
#include "quant/plan/bits_file.h"
#include "quant/zoo/builder.h"

namespace mcusim::paper {
namespace {

constexpr uint32_t kResolutions[] = {224, 192, 160, 128};
constexpr double kWidthMultipliers[] = {1.0, 0.75, 0.5, 0.25};
// Those asked for; throws Error for a name that is none of the 16.
std::vector<Network> networks(const std::vector<std::string>& wanted) {
  std::vector<Network> out;
  std::string known;
  for (const uint32_t resolution : kResolutions)
    for (const double width : kWidthMultipliers) {
      const std::string name = zoo::network_name("", width, resolution).substr(1);
      known += (known.empty() ? "" : ", ") + name;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
      out.push_back(network_of("mobilenet_v1", width, resolution));
    }
  for (const auto& name : wanted)
    if (std::none_of(out.begin(), out.end(), [&](const Network& network) { return network.name == name; }))
      throw UsageError("paper: no network {}; known: {}", name, known);
  return out;
}

std::string mebibytes(uint64_t bytes) { return fmt::format("{:.3f}", static_cast<double>(bytes) / (1 << 20)); }

// Weights, four batch-norm numbers per channel and the classifier's biases, as floats.
uint64_t float_bytes(const plan::Problem& problem) {
  uint64_t numbers = 0;
  for (const auto& layer : problem.layers)
    if (layer.weights) numbers += layer.weights + (layer.classifier ? 1u : 4u) * layer.channels;
  return 4 * numbers;
}

Table method_bytes() {
  const Network network = networks({"224_1.0"}).front();
  Table table{"rusci2019_methods", "Weights and parameters of MobileNetV1 " + network.name + " by method",
              "Read-only bytes by the papers' model; activations are input and output of the widest layer.",
              {{"method"}, {"weights, activations"}, {"read-only MiB", Origin::planned},
               {"activations KiB", Origin::planned}}, {}};
  table.add({"float", "32 bits", mebibytes(float_bytes(network.problem)),
             fmt::format("{}", 4 * plan::peak_activation_bytes(network.problem, plan::all_at(network.problem, 8, 8)) / 1024)});
  struct Row {
    const char* name;
    plan::Flavour flavour;
    uint8_t bits;
  };
  for (const Row& row : {Row{"PL+FB", plan::Flavour::pl_fb, 8}, Row{"PL+FB", plan::Flavour::pl_fb, 4},
                         Row{"PL+ICN", plan::Flavour::pl_icn, 4}, Row{"PC+ICN", plan::Flavour::pc_icn, 4},
                         Row{"PC+Thresholds", plan::Flavour::pc_thresholds, 4}}) {
    const auto widths = plan::all_at(network.problem, row.bits, row.bits);
    table.add({row.name, fmt::format("{} bits", row.bits), mebibytes(plan::paper_bytes(network.problem, widths, row.flavour)),
               fmt::format("{}", plan::peak_activation_bytes(network.problem, widths) / 1024)});
  }
  return table;
}

struct Experiment {
  const char *id, *title, *caption;
  plan::Limits limits;
  std::vector<ModeRow> modes;
};

void accuracy(const Options& options, Workshop& workshop, Page& page) {
  const Data& data = *options.data;
  struct Width {
    uint8_t weights, activations;
  };
  std::vector<Build> builds;
  std::vector<std::vector<std::string>> heads;
  for (const Width width : {Width{8, 8}, Width{4, 8}, Width{8, 4}, Width{4, 4}})
    for (const char* method : {"pl-fb", "pl-icn", "pc-icn", "pc-thr"}) {
      if (std::string(method) == "pc-thr" && width.activations == 8) continue;  // thresholds are for 4 and 2 bits
      const std::string bits = workshop.file(fmt::format("w{}a{}.json", width.weights, width.activations));
      write_file(bits, plan::format_bits(data.problem, plan::all_at(data.problem, width.activations, width.weights)));
      Build build{fmt::format("data_w{}a{}_{}", width.weights, width.activations, method),
                  {"mcusim", "quantize", data.model, "--calibration", fmt::format("{}[0:{}]", data.selector, data.calibration),
                   "--method", method, "--bits", bits},
                  {data.model, bits}, true};
      build.words.insert(build.words.end(), data.input_words.begin(), data.input_words.end());
      builds.push_back(std::move(build));
      heads.push_back({method, fmt::format("{} / {}", width.weights, width.activations)});
    }
  const auto built = workshop.make(builds);
  const uint64_t judged = data.labels.size() - data.calibration;
  const auto share = [&](uint64_t correct) {
    return fmt::format("{:.2f} %", 100.0 * static_cast<double>(correct) / static_cast<double>(judged));
  };
  Table table{"rusci2019_accuracy", "Accuracy by method and width on the data given",
              fmt::format("Ranges from the first {} inputs, judged on the other {}; no retraining. The float network has {} "
                          "right ({}).", data.calibration, judged, data.float_correct, share(data.float_correct)),
              {{"method"}, {"weights / activations, bits"}, {"right", Origin::measured}, {"top-1", Origin::measured},
               {"container B", Origin::built}, {"arena B", Origin::simulated}, {"ms", Origin::simulated}}, {}};
  Figure figure{"rusci2019_accuracy_bytes", "Accuracy against flash on the data given", "Containers of the table above.",
                "container, KiB", "top-1, %", false, false, {}};
  for (size_t i = 0; i < built.size(); ++i) {
    auto row = heads[i];
    if (!built[i].run) {
      row.push_back(short_refusal(built[i].refusal));
      row.resize(table.columns.size(), "-");
      table.add(row);
      continue;
    }
    const uint64_t correct = built[i].correct.value_or(0);
    const RunFacts& run = *built[i].run;
    for (auto cell : {fmt::format("{}", correct), share(correct), fmt::format("{}", run.container_bytes),
                      fmt::format("{}", run.arena_bytes), fmt::format("{:.2f}", run.milliseconds())})
      row.push_back(std::move(cell));
    table.add(row);
    const auto at = std::find_if(figure.series.begin(), figure.series.end(), [&](const Series& s) { return s.name == heads[i][0]; });
    Series& series = at != figure.series.end() ? *at : figure.series.emplace_back(Series{heads[i][0], {}, false});
    series.points.push_back({static_cast<double>(run.container_bytes) / 1024,
                             100.0 * static_cast<double>(correct) / static_cast<double>(judged), heads[i][1]});
  }
  page.tables.push_back(std::move(table));
  page.figures.push_back(std::move(figure));
}

}  // namespace

Page rusci2019(const Options& options) {
  Page page{"rusci2019", "Memory-driven mixed low precision quantization, redone", "", {}, {}, {}, {}};
  Workshop workshop(options, page);
  const auto all = networks(options.networks);
  page.tables.push_back(method_bytes());

  const Experiment experiments[] = {
      {"rusci2019_2mb_512kb", "16 MobileNetV1 in 2 MB of flash and 512 kB of RAM",
       "Limits 2,048,000 and 512,000 bytes, widths by the memory-driven rule. Weights are made by rule, which decides no "
       "width and few cycles.", kTwoMegabytes, {kModes[0], kModes[1]}},
      {"rusci2019_1mb_512kb", "The same in 1 MB and 512 kB", "Limits 1,024,000 and 512,000 bytes.", {1'024'000, 512'000}, {kModes[1]}},
      {"rusci2019_1mb_256kb", "The same in 1 MB and 256 kB", "Limits 1,024,000 and 256,000 bytes.", {1'024'000, 256'000}, {kModes[1]}},
  };
  std::vector<Build> builds;
  for (const auto& experiment : experiments)
    for (const auto& network : all)
      for (const auto& mode : experiment.modes) builds.push_back(zoo_build(network, experiment.limits, mode));
  const auto built = workshop.make(builds);

  Figure latency{"rusci2019_latency", "Throughput of the 16 networks in 2 MB and 512 kB",
                 "The papers' latency axis: frames per second of every assignment, per layer and per channel.",
                 "multiply-accumulates, millions", "frames per second", true, true, {}};
  size_t next = 0;
  for (const auto& experiment : experiments) {
    Table table{experiment.id, experiment.title, experiment.caption, assignment_columns(), {}};
    std::vector<Series> series;
    for (const auto& mode : experiment.modes) series.push_back({mode.shown, {}, false});
    for (const auto& network : all)
      for (size_t m = 0; m < experiment.modes.size(); ++m, ++next) {
        table.add(assignment_row(network, experiment.modes[m], experiment.limits, built[next]));
        if (!built[next].run) continue;
        const RunFacts& run = *built[next].run;
        series[m].points.push_back({static_cast<double>(run.macs) / 1e6, run.frames_per_second(), m == 0 ? network.name : ""});
      }
    page.tables.push_back(std::move(table));
    if (&experiment == &experiments[0]) latency.series = std::move(series);
  }
  if (std::any_of(latency.series.begin(), latency.series.end(), [](const Series& s) { return !s.points.empty(); }))
    page.figures.push_back(std::move(latency));
  if (options.data) accuracy(options, workshop, page);

  page.introduction = "Rusci, Capotondi, Benini, arXiv 1905.13082. " + workshop.provenance();
  page.needs_imagenet = {"top-1 of MobileNetV1 224_1.0 by method (the papers' table of PL+FB, PL+ICN, PC+ICN, thresholds)",
                         "top-1 of the 16 networks, hence the accuracy axis of the latency figure",
                         "the comparison with other networks at 2 MB and 1 MB (published: 68.0 % for 224_0.75 in 512 kB and "
                         "2 MB, 62.9 % in 512 kB and 1 MB, 60.2 % for 192_0.5 in 256 kB and 1 MB, as quoted by MCUNet, "
                         "arXiv 2007.10319, table 4)"};
  if (!options.data) page.needs_imagenet.push_back("accuracy by method on other data: give --model, --data and --labels");
  return page;
}

}  // namespace mcusim::paper
