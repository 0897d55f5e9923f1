// SPDX-License-Identifier: MIT
// `mcusim eval`: a network over a data set, by the kernels on this machine or on
// the emulated target, or a float network as it is; prints how many labels it meets
// and how often an integer network agrees with its float model.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/calibration.h"
#include "quant/cli/command.h"
#include "quant/cli/float_model.h"
#include "quant/cli/store.h"
#include "quant/eval/evaluate.h"
#include "quant/eval/evaluate_float.h"

namespace mcusim::net_cli {
namespace {

struct Options {
  std::string net, labels, output, agree, engine = "host";
  CalibrationOptions data;  // the selector; the rest is for float networks
  uint64_t limit = 0;
  unsigned threads = 0;
  bool show_confusion = false;
};

Outputs run_engine(const Options& options, const NetFile& file, const Samples& samples,
                   unsigned threads) {
  if (options.engine == "sim") return evaluate_simulated(file.container, samples, threads);
  const bool show = ::isatty(STDERR_FILENO) != 0;
  const auto outputs = evaluate_host(file.container, samples, threads, [&](uint64_t done) {
    if (show) fmt::print(stderr, "\r{}/{}", done, samples.count);
  });
  if (show) fmt::print(stderr, "\r\033[K");
  return outputs;
}

void print_confusion(const std::vector<uint32_t>& best, size_t classes,
                     const std::vector<int64_t>& labels) {
  const auto counts = confusion(best, classes, labels);
  fmt::print("label \\ top-1");
  for (size_t c = 0; c < counts.size(); ++c) fmt::print("{:>6}", c);
  for (size_t label = 0; label < counts.size(); ++label) {
    fmt::print("\n{:>13}", label);
    for (const uint64_t count : counts[label]) fmt::print("{:>6}", count);
  }
  fmt::print("\n");
}

unsigned thread_count(const Options& options) {
  return options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

void print_share(const char* what, uint64_t part, uint64_t all) {
  fmt::print("{} {}/{} ({:.2f} %)\n", what, part, all,
             100.0 * static_cast<double>(part) / static_cast<double>(all));
}

void print_hits(const Options& options, const std::vector<uint32_t>& best, size_t classes,
                const std::vector<int64_t>& labels) {
  if (labels.empty()) return;
  print_share("top-1", count_correct(best, labels), best.size());
  if (options.show_confusion) print_confusion(best, classes, labels);
}

class Stopwatch {
 public:
  void print(uint64_t inputs, const std::string& engine) const {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    fmt::print("{} inputs, engine {}, {:.2f} s, {:.1f} inputs/s\n", inputs, engine, spent.count(),
               static_cast<double>(inputs) / spent.count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::vector<int64_t> labels_for(const Options& options, uint64_t all_samples, uint64_t count) {
  if (options.labels.empty()) {
    if (options.show_confusion) throw UsageError("--confusion needs --labels");
    return {};
  }
  auto labels = load_labels(options.labels, options.data.selector, all_samples);
  labels.resize(count);
  return labels;
}

void evaluate_float(const Options& options) {
  if (options.engine != "host" || !options.agree.empty() || !options.output.empty())
    throw UsageError("{}: --engine, --agree and --output are for integer networks, this is a float "
                     "network", options.net);
  const graph::Graph graph = load_float_model(options.net);
  const CalibrationSet set = load_calibration(options.data, graph);
  auto inputs = real_inputs(set);
  if (options.limit != 0 && options.limit < inputs.size()) inputs.resize(options.limit);
  const auto labels = labels_for(options, set.samples.size(), inputs.size());
  const Stopwatch watch;
  const auto best = float_top1(graph, inputs, thread_count(options));
  print_hits(options, best, graph.values[graph.outputs.at(0)].elements(), labels);
  watch.print(inputs.size(), "float");
}

void evaluate(const Options& options) {
  if (is_float_model(options.net)) return evaluate_float(options);
  if (options.data.scale > 0 || !options.data.layout.empty())
    throw UsageError("{}: --input-scale and --layout are for float networks", options.net);
  const NetFile file = load_net_file(options.net);
  print_notes(file);
  const Samples samples = load_samples(file.net, options.data.selector, options.limit);
  const IntTensor& input = file.net.tensors[static_cast<size_t>(file.net.inputs[0])];
  const auto labels =
      labels_for(options, sample_count(input, samples.array, options.data.selector), samples.count);
  const Stopwatch watch;
  const Outputs outputs = run_engine(options, file, samples, thread_count(options));
  const auto best = top1(outputs);
  print_hits(options, best, outputs.at(0).size(), labels);
  watch.print(outputs.size(), options.engine);
  if (!options.agree.empty()) {
    const auto reference = float_top1(load_float_model(options.agree), real_samples(file.net, samples),
                                 thread_count(options));
    uint64_t same = 0;
    for (size_t i = 0; i < best.size(); ++i) same += best[i] == reference[i];
    print_share("same top-1 as the float network", same, outputs.size());
  }
  if (options.output.empty()) return;
  const IntTensor& tensor = file.net.tensors[static_cast<size_t>(file.net.outputs.at(0))];
  write_file(options.output, format_npy(shown_array(tensor, outputs)));
}

}  // namespace

void add_eval(CLI::App& app, int*) {
  auto* command = app.add_subcommand("eval", "Run a network over a data set and count hits");
  auto options = std::make_shared<Options>();
  command->add_option("net", options->net, "net.bin, net.json, model.tflite or model.onnx (integer or float)")
      ->required();
  options->data.add_to(*command, true, "--data");
  command->add_option("--labels", options->labels,
                      "Labels: FILE[:array][first:last], or an array name of the data file");
  command->add_option("--engine", options->engine, "host, or sim: the emulated target")
      ->check(CLI::IsMember({"host", "sim"}))
      ->capture_default_str();
  command->add_option("--limit", options->limit, "At most this many inputs (0: all)");
  command->add_option("--threads", options->threads, "Worker threads (0: one per core)")
      ->check(CLI::Range(0, 1024));
  command->add_option("--output", options->output, "Write the outputs as .npy");
  command->add_option("--agree", options->agree, "Count equal top-1 with this float model.onnx");
  command->add_flag("--confusion", options->show_confusion, "Print labels against top-1");
  command->callback([options] { evaluate(*options); });
}

}  // namespace mcusim::net_cli
