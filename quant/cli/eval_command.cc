// SPDX-License-Identifier: MIT
// `mcusim eval`: a network over a data set, by the kernels on this machine or on
// the emulated target; prints how many labels it meets.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/command.h"
#include "quant/cli/store.h"
#include "quant/eval/evaluate.h"

namespace mcusim::net_cli {
namespace {

struct Options {
  std::string net, data, labels, output, engine = "host";
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

void print_confusion(const Outputs& outputs, const std::vector<int64_t>& labels) {
  const auto counts = confusion(outputs, labels);
  fmt::print("label \\ top-1");
  for (size_t c = 0; c < counts.size(); ++c) fmt::print("{:>6}", c);
  for (size_t label = 0; label < counts.size(); ++label) {
    fmt::print("\n{:>13}", label);
    for (const uint64_t count : counts[label]) fmt::print("{:>6}", count);
  }
  fmt::print("\n");
}

void evaluate(const Options& options) {
  const NetFile file = load_net_file(options.net);
  print_notes(file);
  const Samples samples = load_samples(file.net, options.data, options.limit);
  std::vector<int64_t> labels;
  if (!options.labels.empty()) {
    const IntTensor& input = file.net.tensors[static_cast<size_t>(file.net.inputs[0])];
    labels =
        load_labels(options.labels, options.data, sample_count(input, samples.array, options.data));
    labels.resize(samples.count);
  } else if (options.show_confusion) {
    throw UsageError("--confusion needs --labels");
  }
  const unsigned threads =
      options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  const auto start = std::chrono::steady_clock::now();
  const Outputs outputs = run_engine(options, file, samples, threads);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  if (!labels.empty()) {
    const uint64_t correct = count_correct(outputs, labels);
    fmt::print("top-1 {}/{} ({:.2f} %)\n", correct, outputs.size(),
               100.0 * static_cast<double>(correct) / static_cast<double>(outputs.size()));
    if (options.show_confusion) print_confusion(outputs, labels);
  }
  fmt::print("{} inputs, engine {}, {:.2f} s, {:.1f} inputs/s\n", outputs.size(), options.engine,
             seconds, static_cast<double>(outputs.size()) / seconds);
  if (options.output.empty()) return;
  const IntTensor& tensor = file.net.tensors[static_cast<size_t>(file.net.outputs.at(0))];
  write_file(options.output, format_npy(shown_array(tensor, outputs)));
}

}  // namespace

void add_eval(CLI::App& app, int*) {
  auto* command = app.add_subcommand("eval", "Run a network over a data set and count hits");
  auto options = std::make_shared<Options>();
  command->add_option("net", options->net, "net.bin, model.tflite or net.json")->required();
  command->add_option("--data", options->data, "Inputs: FILE[:array][first:last]")->required();
  command->add_option("--labels", options->labels,
                      "Labels: FILE[:array][first:last], or an array name of the data file");
  command->add_option("--engine", options->engine, "host, or sim: the emulated target")
      ->check(CLI::IsMember({"host", "sim"}))
      ->capture_default_str();
  command->add_option("--limit", options->limit, "At most this many inputs (0: all)");
  command->add_option("--threads", options->threads, "Worker threads (0: one per core)")
      ->check(CLI::Range(0, 1024));
  command->add_option("--output", options->output, "Write the outputs as .npy");
  command->add_flag("--confusion", options->show_confusion, "Print labels against top-1");
  command->callback([options] { evaluate(*options); });
}

}  // namespace mcusim::net_cli
