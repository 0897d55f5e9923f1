// SPDX-License-Identifier: MIT
#include "quant/train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "memmap/base/error.h"
#include "quant/graph/execute.h"
#include "quant/train/augment.h"
#include "quant/train/network.h"
#include "quant/train/tensors.h"
#include "quant/train/torch_ops.h"

namespace mcusim::train {
namespace {

using at::Tensor;

constexpr size_t kEvaluationBatch = 100;

std::vector<float> flatten(const std::vector<Tensor>& tensors) {
  std::vector<float> result;
  for (const auto& tensor : tensors) {
    const auto values = from_tensor(tensor);
    result.insert(result.end(), values.begin(), values.end());
  }
  return result;
}

void restore(const std::vector<Tensor>& tensors, const std::vector<float>& values) {
  const at::NoGradGuard no_gradients;
  size_t first = 0;
  for (const auto& tensor : tensors) {
    const auto count = static_cast<size_t>(tensor.numel());
    check(first + count <= values.size(), "a value for every parameter");
    const std::vector<float> part(values.begin() + static_cast<long>(first),
                                  values.begin() + static_cast<long>(first + count));
    tensor.copy_(to_tensor(part).view(tensor.sizes()));
    first += count;
  }
  check(first == values.size(), "a parameter for every value");
}

// Kingma and Ba, arXiv 1412.6980, with their constants.
class Adam {
 public:
  Adam(std::vector<Parameter> parameters, double range_decay)
      : parameters_(std::move(parameters)), range_decay_(range_decay) {
    for (const auto& p : parameters_) {
      first.push_back(at::zeros_like(p.tensor).detach());
      second.push_back(at::zeros_like(p.tensor).detach());
    }
  }

  // `step` counts from 1 over the whole run.
  void update(uint64_t step, double rate) {
    const at::NoGradGuard no_gradients;
    const double scale = rate / (1 - std::pow(kBeta1, static_cast<double>(step)));
    const double correction = 1 / (1 - std::pow(kBeta2, static_cast<double>(step)));
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const auto& p = parameters_[i];
      Tensor gradient = p.tensor.grad();
      if (!gradient.defined()) continue;
      if (p.is_range) gradient = gradient + p.tensor * range_decay_;
      first[i].mul_(kBeta1).add_(gradient, 1 - kBeta1);
      second[i].mul_(kBeta2).add_(gradient * gradient, 1 - kBeta2);
      p.tensor.sub_(scale * first[i] / (at::sqrt(second[i] * correction) + kEpsilon));
      p.tensor.mutable_grad().reset();
    }
  }

  std::vector<Tensor> first, second;

 private:
  static constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  std::vector<Parameter> parameters_;
  double range_decay_;
};

Tensor class_tensor(const std::vector<int64_t>& labels, const std::vector<size_t>& indices) {
  Tensor result = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
  for (size_t i = 0; i < indices.size(); ++i) result.data_ptr<int64_t>()[i] = labels[indices[i]];
  return result;
}

uint32_t first_largest(const float* values, size_t count) {
  return static_cast<uint32_t>(std::max_element(values, values + count) - values);
}

uint64_t fingerprint_of(const Task& task, const Examples& training, const Examples& validation,
                        const TrainOptions& o) {
  uint64_t hash = fingerprint("", 0);
  const auto add = [&](const auto& values) {
    hash = fingerprint(values.data(), values.size() * sizeof values[0], hash);
  };
  const auto text = fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}", o.epochs, o.batch,
                                o.learning_rate, o.range_decay, o.distill, o.temperature,
                                o.max_shift_h, o.max_shift_w, o.flip, o.seed, task.input.scale, task.input.zero_point);
  add(text);
  for (const auto& start : task.starts)
    add(fmt::format("{} {} {} {} {}", static_cast<int>(start.flavour), start.weight_bits,
                    start.output_bits, start.output.low, start.output.high));
  for (const auto& node : task.graph.nodes)
    for (const auto* values : {&node.weights, &node.bias, &node.gamma, &node.beta, &node.mean,
                               &node.variance})
      add(*values);
  for (const auto* examples : {&training, &validation}) {
    for (const auto& input : examples->inputs) add(input);
    add(examples->labels);
  }
  return hash;
}

class Trainer {
 public:
  Trainer(const Task& task, const Examples& training, const Examples& validation,
          const TrainOptions& options)
      : task_(task), training_(training), validation_(validation), options_(options),
        network_(task), adam_(network_.parameters(), options.range_decay) {
    at::set_num_threads(1);
    classes_ = task.graph.values[task.layers.outputs[0]].elements();
    check_labels();
    if (options.distill > 0) teach();
    now_.fingerprint = fingerprint_of(task, training, validation, options);
    now_.best_state = flatten(network_.state());
  }

  void resume() {
    if (options_.checkpoint.empty() || !std::filesystem::exists(options_.checkpoint)) return;
    auto saved = read_checkpoint(options_.checkpoint);
    if (saved.fingerprint != now_.fingerprint)
      throw Error("{}: a checkpoint of another network, data set or set of options; remove it or "
                  "name another file", options_.checkpoint);
    now_ = std::move(saved);
    restore(network_.state(), now_.state);
    restore(adam_.first, now_.first_moments);
    restore(adam_.second, now_.second_moments);
  }

  void run(const OnEpoch& on_epoch) {
    while (now_.epochs.size() < options_.epochs) {
      EpochResult result;
      result.loss = epoch(now_.epochs.size());
      judge(result);
      const bool better = now_.epochs.empty() || validation_.inputs.empty() ||
                          result.validation_loss < best().validation_loss;
      now_.epochs.push_back(result);
      if (better) now_.best_state = flatten(network_.state());
      if (!options_.checkpoint.empty()) {
        now_.state = flatten(network_.state());
        now_.first_moments = flatten(adam_.first);
        now_.second_moments = flatten(adam_.second);
        write_checkpoint(options_.checkpoint, now_);
      }
      if (on_epoch) on_epoch(now_.epochs);
    }
  }

  Outcome outcome() {
    restore(network_.state(), now_.best_state);
    Outcome result{now_.best_state, network_.trained_graph(), network_.trained_layers(),
                   now_.epochs, 0};
    for (size_t i = 0; i < now_.epochs.size(); ++i)
      if (&now_.epochs[i] == &best()) result.best_epoch = static_cast<unsigned>(i + 1);
    return result;
  }

 private:
  const EpochResult& best() const {
    if (validation_.inputs.empty()) return now_.epochs.back();
    return *std::min_element(now_.epochs.begin(), now_.epochs.end(), [](auto& a, auto& b) {
      return a.validation_loss < b.validation_loss;
    });
  }

  void check_labels() const {
    for (const auto* examples : {&training_, &validation_}) {
      if (examples->inputs.size() != examples->labels.size())
        throw Error("training: {} inputs, {} labels", examples->inputs.size(), examples->labels.size());
      for (size_t i = 0; i < examples->labels.size(); ++i)
        if (examples->labels[i] < 0 || examples->labels[i] >= static_cast<int64_t>(classes_))
          throw Error("training: label {} of input {}: the network has {} classes",
                      examples->labels[i], i, classes_);
    }
    if (training_.inputs.size() < 2) throw Error("training: at least 2 inputs are needed");
  }

  void teach() {
    graph::FloatExecutor teacher(task_.graph);
    for (const auto& input : training_.inputs)
      teacher_.push_back(teacher.run(input)[task_.layers.outputs[0]]);
  }

  double rate(size_t epoch) const {
    const double part = static_cast<double>(epoch) / options_.epochs;
    return options_.learning_rate * (part < 5.0 / 12 ? 1.0 : part < 8.0 / 12 ? 0.5 : 0.1);
  }

  double epoch(size_t index) {
    zoo::Random random(options_.seed * 0x9E3779B97F4A7C15u + index);
    std::vector<size_t> order(training_.inputs.size());
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size() - 1; i > 0; --i)
      std::swap(order[i], order[static_cast<size_t>(random.integer(0, static_cast<int32_t>(i)))]);
    // Batches of about equal size: batch statistics of a single input are no use.
    const size_t batches = std::max<size_t>(1, (order.size() + options_.batch / 2) / options_.batch);
    double total = 0;
    for (size_t b = 0; b < batches; ++b) {
      const std::vector<size_t> indices(
          order.begin() + static_cast<long>(b * order.size() / batches),
          order.begin() + static_cast<long>((b + 1) * order.size() / batches));
      const Tensor loss = loss_of(indices, index == 0, random);
      const double value = loss.item<float>();
      if (!std::isfinite(value))
        throw Error("training: epoch {}: the loss is {}; try a smaller --learning-rate", index + 1,
                    value);
      total += value * static_cast<double>(indices.size());
      loss.backward();
      adam_.update(index * batches + b + 1, rate(index));
      const at::NoGradGuard no_gradients;
      network_.restrain_ranges();
    }
    return total / static_cast<double>(order.size());
  }

  Tensor loss_of(const std::vector<size_t>& indices, bool batch_statistics, zoo::Random& random) {
    const auto& shape = task_.graph.values[task_.graph.inputs[0]];
    const Augmentation changes{options_.max_shift_h, options_.max_shift_w, options_.flip};
    std::vector<std::vector<float>> inputs;
    std::vector<const std::vector<float>*> pointers;
    for (const size_t i : indices)
      inputs.push_back(augmented(training_.inputs[i], shape, changes, random));
    for (const auto& input : inputs) pointers.push_back(&input);
    const Tensor logits = network_.forward(to_batch(pointers, shape), Pass::float32, batch_statistics);
    Tensor loss = at::nll_loss(at::log_softmax(logits, 1), class_tensor(training_.labels, indices));
    if (options_.distill <= 0) return loss;
    std::vector<float> rows;
    for (const size_t i : indices) rows.insert(rows.end(), teacher_[i].begin(), teacher_[i].end());
    const double t = options_.temperature;
    const Tensor teacher = to_tensor(rows).view({static_cast<int64_t>(indices.size()), -1});
    const Tensor apart = (at::softmax(teacher / t, 1) *
                          (at::log_softmax(teacher / t, 1) - at::log_softmax(logits / t, 1)))
                             .sum(1).mean();
    return loss * (1 - options_.distill) + apart * (options_.distill * t * t);
  }

  void judge(EpochResult& result) {
    const at::NoGradGuard no_gradients;
    const auto& shape = task_.graph.values[task_.graph.inputs[0]];
    for (size_t first = 0; first < validation_.inputs.size(); first += kEvaluationBatch) {
      const size_t last = std::min(first + kEvaluationBatch, validation_.inputs.size());
      std::vector<const std::vector<float>*> inputs;
      std::vector<size_t> indices;
      for (size_t i = first; i < last; ++i) {
        inputs.push_back(&validation_.inputs[i]);
        indices.push_back(i);
      }
      const Tensor logits = network_.forward(to_batch(inputs, shape), Pass::exact);
      const auto values = from_tensor(logits);
      for (size_t i = 0; i < indices.size(); ++i)
        result.validation_correct +=
            first_largest(&values[i * classes_], classes_) == validation_.labels[indices[i]];
      result.validation_loss += at::nll_loss(at::log_softmax(logits, 1),
                                             class_tensor(validation_.labels, indices))
                                    .item<double>() *
                                static_cast<double>(indices.size());
    }
    if (!validation_.inputs.empty())
      result.validation_loss /= static_cast<double>(validation_.inputs.size());
  }

  const Task& task_;
  const Examples &training_, &validation_;
  const TrainOptions& options_;
  FakeQuantNetwork network_;
  Adam adam_;
  Checkpoint now_;
  uint64_t classes_ = 0;
  std::vector<std::vector<float>> teacher_;
};

}  // namespace

Outcome train(const Task& task, const Examples& training, const Examples& validation,
              const TrainOptions& options, const OnEpoch& on_epoch) {
  Trainer trainer(task, training, validation, options);
  trainer.resume();
  trainer.run(on_epoch);
  return trainer.outcome();
}

std::vector<uint32_t> fake_quantised_top1(const Task& task, const Outcome* outcome,
                                          const std::vector<std::vector<float>>& inputs) {
  at::set_num_threads(1);
  const at::NoGradGuard no_gradients;
  FakeQuantNetwork network(task);
  if (outcome) restore(network.state(), outcome->state);
  std::vector<uint32_t> result;
  for (size_t first = 0; first < inputs.size(); first += kEvaluationBatch) {
    std::vector<const std::vector<float>*> batch;
    for (size_t i = first; i < std::min(first + kEvaluationBatch, inputs.size()); ++i)
      batch.push_back(&inputs[i]);
    const auto logits = network.forward(
        to_batch(batch, task.graph.values[task.graph.inputs[0]]), Pass::exact);
    const auto values = from_tensor(logits);
    const size_t classes = values.size() / batch.size();
    for (size_t i = 0; i < batch.size(); ++i)
      result.push_back(first_largest(&values[i * classes], classes));
  }
  return result;
}

}  // namespace mcusim::train
