// SPDX-License-Identifier: MIT
// `mcusim train`: a float network retrained on its grids, then converted; every
// accuracy on the way is printed.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <numeric>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/cli/calibration.h"
#include "quant/cli/command.h"
#include "quant/cli/float_model.h"
#include "quant/cli/methods.h"
#include "quant/cli/plan_options.h"
#include "quant/eval/evaluate.h"
#include "quant/eval/evaluate_float.h"
#include "quant/import/onnx_write.h"
#include "quant/train/prepare.h"
#include "quant/train/trainer.h"
#include "quant/zoo/random.h"

namespace mcusim::net_cli {
namespace {

struct Options {
  std::string model, labels, output, split, method = "pc-icn", shift;
  uint64_t split_seed = 0;
  CalibrationOptions data;
  PlanOptions plan;
  train::TrainOptions train;
};

// The samples in order, or shuffled by --split-seed, cut into three.
struct Parts {
  std::vector<quantise::Sample> samples[3];  // training, validation, test
  std::vector<int64_t> labels[3];

  train::Examples examples(size_t part, const quantise::Affine& input) const {
    train::Examples result{{}, labels[part]};
    for (const auto& sample : samples[part])
      result.inputs.push_back(train::on_grid(sample.stored, input));
    return result;
  }
};

std::vector<uint64_t> numbers(const std::string& text, const char* option, size_t most) {
  std::vector<uint64_t> result;
  for (const auto& part : CLI::detail::split(text, ',')) {
    uint64_t value = 0;
    if (result.size() == most || !CLI::detail::lexical_cast(part, value))
      throw UsageError("{} {}: whole numbers, separated by commas, are expected", option, text);
    result.push_back(value);
  }
  return result;
}

Parts split(const Options& options, const CalibrationSet& set) {
  const size_t count = set.samples.size();
  const auto labels = load_labels(options.labels, options.data.selector, count);
  auto sizes = numbers(options.split, "--split", 3);
  sizes.resize(3);
  if (std::accumulate(sizes.begin(), sizes.end(), uint64_t{0}) > count)
    throw UsageError("--split {}: {} holds {} inputs", options.split, options.data.selector, count);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  zoo::Random random(options.split_seed);
  for (size_t i = count - 1; options.split_seed != 0 && i > 0; --i)
    std::swap(order[i], order[random.next() % (i + 1)]);
  Parts parts;
  size_t next = 0;
  for (size_t part = 0; part < 3; ++part)
    for (uint64_t i = 0; i < sizes[part]; ++i, ++next) {
      parts.samples[part].push_back(set.samples[order[next]]);
      parts.labels[part].push_back(labels[order[next]]);
    }
  return parts;
}

uint64_t equal(const std::vector<uint32_t>& top1, const std::vector<int64_t>& labels) {
  uint64_t count = 0;
  for (size_t i = 0; i < top1.size(); ++i) count += top1[i] == labels[i];
  return count;
}

void print_share(const char* what, uint64_t part, uint64_t all) {
  fmt::print("{:<44} {:>6}/{} ({:.2f} %)\n", what, part, all,
             100.0 * static_cast<double>(part) / static_cast<double>(all));
}

void print_epoch(const std::vector<train::EpochResult>& epochs, unsigned all, uint64_t validation) {
  const auto& last = epochs.back();
  fmt::print(stderr, "epoch {}/{}: loss {:.4f}", epochs.size(), all, last.loss);
  if (validation)
    fmt::print(stderr, ", validation {}/{}, loss {:.4f}", last.validation_correct, validation,
               last.validation_loss);
  fmt::print(stderr, "\n");
}

void run(const Options& options) {
  const auto graph = load_float_model(options.model);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto set = load_calibration(options.data, graph);
  const Parts parts = split(options, set);
  const MethodRow& method = method_named(options.method);
  PlanOptions limits = options.plan;
  limits.mode = method.mode;
  const auto widths = limits.choose(problem);

  const auto training = parts.examples(0, set.input), validation = parts.examples(1, set.input),
             test = parts.examples(2, set.input);
  const auto task = train::prepare(graph, layers, problem, widths, method.flavour, set.input,
                                   training.inputs);
  if (!options.train.checkpoint.empty() && std::filesystem::exists(options.train.checkpoint))
    fmt::print(stderr, "continuing {}\n", options.train.checkpoint);
  const auto outcome = train::train(task, training, validation, options.train,
                                    [&](const auto& epochs) {
                                      print_epoch(epochs, options.train.epochs, validation.labels.size());
                                    });
  const auto packed = train::finish(task, problem, widths, method.flavour, set.input_signed, outcome);
  if (options.output.ends_with(".onnx"))
    write_file(options.output, import::format_onnx(train::float_graph(task, outcome)));
  else
    write_file(options.output, packed.file);
  for (const auto& repair : packed.repairs) fmt::print("repaired: {}\n", repair);
  fmt::print("{} at {} of {} epochs\n", options.method, outcome.best_epoch, outcome.epochs.size());
  if (!test.inputs.empty()) {
    const auto trained = train::fake_quantised_top1(task, &outcome, test.inputs);
    const auto integer = train::integer_top1(packed.file, parts.samples[2]);
    uint64_t same = 0;
    for (size_t i = 0; i < trained.size(); ++i) same += trained[i] == integer[i];
    const size_t all = test.labels.size();
    print_share("test, float", equal(float_top1(graph, test.inputs, 1), test.labels), all);
    print_share("test, on the grids before training",
                equal(train::fake_quantised_top1(task, nullptr, test.inputs), test.labels), all);
    print_share("test, on the grids after training", equal(trained, test.labels), all);
    print_share("test, integer network", equal(integer, test.labels), all);
    print_share("integer network decides as the trained one", same, all);
  }
  fmt::print("container {} B, arena {} B -> {}\n", packed.file.size(), packed.arena_bytes,
             options.output);
}

}  // namespace

void add_train(CLI::App& app, int*) {
  auto* command = app.add_subcommand("train", "Retrain a float network for its bit widths");
  auto options = std::make_shared<Options>();
  auto& train = options->train;
  command->add_option("model", options->model, "model.onnx")->required();
  options->data.add_to(*command, true, "--data");
  command->add_option("--labels", options->labels,
                      "Labels: FILE[:array][first:last], or an array name of the data file")
      ->required();
  command->add_option("--split", options->split, "Inputs for training, validation and test: 700,100,200")
      ->required();
  command->add_option("--split-seed", options->split_seed, "Shuffle before the split (0: file order)");
  command->add_option("--method", options->method, "Arithmetic of the layers")
      ->check(CLI::IsMember(method_names()))
      ->capture_default_str();
  options->plan.add_limits(*command);
  command->remove_option(command->get_option("--bits"));
  command->add_option("--plan", options->plan.bits_path, "A bit plan (JSON, as `plan -o` writes)")
      ->excludes(command->get_option("--flash"))
      ->excludes(command->get_option("--ram"));
  command->add_option("--epochs", train.epochs, "Passes over the training inputs")
      ->check(CLI::Range(0, 100000))->capture_default_str();
  command->add_option("--batch", train.batch, "Inputs per update")
      ->check(CLI::Range(2, 65536))->capture_default_str();
  command->add_option("--learning-rate", train.learning_rate,
                      "Of Adam; halved after 5/12 of the epochs, a tenth after 8/12")
      ->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--distill", train.distill,
                      "Part of the loss that compares with the float network's outputs")
      ->check(CLI::Range(0.0, 1.0))->capture_default_str();
  command->add_option("--shift", options->shift, "Move inputs at random by up to H[,W] cells");
  command->add_flag("--flip", train.flip, "Mirror inputs left-right at random");
  command->add_option("--seed", train.seed, "Of all random choices")->capture_default_str();
  command->add_option("--checkpoint", train.checkpoint,
                      "Written after every epoch, continued if it exists");
  command->add_option("-o,--output", options->output, "net.bin, or .onnx: a float network with the trained weights on their grids")
      ->required();
  command->callback([options] {
    if (!options->shift.empty()) {
      auto cells = numbers(options->shift, "--shift", 2);
      cells.resize(2);
      options->train.max_shift_h = static_cast<unsigned>(std::min<uint64_t>(cells[0], 1024));
      options->train.max_shift_w = static_cast<unsigned>(std::min<uint64_t>(cells[1], 1024));
    }
    run(*options);
  });
}

}  // namespace mcusim::net_cli
