// SPDX-License-Identifier: MIT
// `mcusim paper`: the experiments of a paper, redone with what is here.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "memmap/base/error.h"
#include "quant/cli/calibration.h"
#include "quant/cli/command.h"
#include "quant/cli/float_model.h"
#include "quant/eval/evaluate_float.h"
#include "quant/paper/papers.h"

namespace mcusim::net_cli {
namespace {

namespace fs = std::filesystem;

struct PaperCommand {
  std::string name, folder, board = "stm32h743", model, labels;
  std::vector<std::string> networks;
  unsigned jobs = 0, episodes = 300, seeds = 5;
  uint64_t calibration = 100;
  CalibrationOptions data;
};

paper::Data load_data(const PaperCommand& command) {
  if (command.data.selector.empty() || command.labels.empty())
    throw UsageError("paper: --model needs --data and --labels");
  paper::Data data;
  data.model = fs::absolute(command.model).string();
  data.selector = fs::absolute(command.data.selector).string();
  if (data.selector.ends_with(']')) throw UsageError("paper: --data {}: give it without a range", command.data.selector);
  data.calibration = command.calibration;
  const auto graph = load_float_model(command.model);
  data.problem = plan::problem_of(graph, graph::fuse(graph));
  const auto set = load_calibration(command.data, graph);
  const bool file = command.labels.find(".np") != std::string::npos;
  data.labels_text = file ? fs::absolute(command.labels).string() : command.labels;
  data.labels = load_labels(command.labels, command.data.selector, set.samples.size());
  if (command.calibration >= data.labels.size())
    throw UsageError("paper: --calibration-inputs {}: the data has {} inputs, none is left to judge", command.calibration,
                     data.labels.size());
  if (command.data.scale > 0)
    data.input_words = {"--input-scale", fmt::format("{}", command.data.scale), "--input-zero-point",
                        fmt::format("{}", command.data.zero_point)};
  if (!command.data.layout.empty()) {
    data.input_words.push_back("--layout");
    data.input_words.push_back(command.data.layout);
  }
  auto inputs = real_inputs(set);
  inputs.erase(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(command.calibration));
  const auto best = float_top1(graph, inputs, std::max(1u, command.jobs));
  for (size_t i = 0; i < best.size(); ++i) data.float_correct += best[i] == data.labels[command.calibration + i];
  return data;
}

void make(PaperCommand command) {
  if (command.jobs == 0) command.jobs = std::max(1u, std::thread::hardware_concurrency());
  paper::Options options;
  options.folder = fs::absolute(command.folder).string();
  options.board = command.board;
  options.jobs = command.jobs;
  options.networks = command.networks;
  options.episodes = command.episodes;
  options.seeds = command.seeds;
  options.progress = [](const std::string& what, size_t done, size_t total) { show_progress(what.c_str(), done, total); };
  if (!command.model.empty()) options.data = load_data(command);
  for (const auto& paper : paper::papers()) {
    if (command.name != paper.name) continue;
    const auto page = paper.make(options);
    paper::write_page(page, options.folder);
    fmt::print("{}: {} tables, {} figures -> {}/{}.md\n", paper.name, page.tables.size(), page.figures.size(), command.folder,
               paper.name);
  }
}

}  // namespace

void add_paper(CLI::App& app, int*) {
  auto* command = app.add_subcommand("paper", "Redo the experiments of a paper as Markdown, CSV and SVG");
  auto options = std::make_shared<PaperCommand>();
  std::vector<std::string> names;
  std::string footer = "Papers:\n";
  for (const auto& paper : paper::papers()) {
    names.push_back(paper.name);
    footer += fmt::format("  {}: {}\n", paper.name, paper.description);
  }
  command->add_option("paper", options->name, "Which one")->required()->check(CLI::IsMember(names));
  command->add_option("-o,--output", options->folder, "Folder of the page; its work/ keeps what was made, so that a killed run goes on")
      ->required();
  command->add_option("--board", options->board, "Board to simulate")->capture_default_str();
  command->add_option("--jobs", options->jobs, "Programs at once (0: one per core)")->check(CLI::Range(0, 256));
  command->add_option("--networks", options->networks, "Only these of the paper's networks: 128_0.25,160_0.25")
      ->delimiter(',');
  command->add_option("--model", options->model, "A trained float model.onnx for the accuracy columns");
  options->data.add_to(*command, false, "--data");
  command->add_option("--labels", options->labels, "Labels: FILE[:array], or an array name of the data file");
  command->add_option("--calibration-inputs", options->calibration, "How many inputs choose ranges; the others judge")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--episodes", options->episodes, "Plans that a search may try")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--seeds", options->seeds, "Searches per method")->check(CLI::Range(1, 100))->capture_default_str();
  command->footer(footer + "Example:\n  mcusim paper rusci2019 -o redone --model kws.onnx --data x.npz:x --labels y "
                           "--input-scale 0.58470291 --input-zero-point 83");
  command->callback([options] { make(*options); });
}

}  // namespace mcusim::net_cli
