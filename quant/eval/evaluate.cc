// SPDX-License-Identifier: MIT
// Samples are handed out one at a time, each thread owns an executor: the result
// does not depend on the number of threads.
#include "quant/eval/evaluate.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "kernels/host/host_executor.h"
#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "quant/eval/parallel.h"

namespace mcusim {
namespace {

bool names_a_file(const std::string& text) {
  return text.find(".npy") != std::string::npos || text.find(".npz") != std::string::npos;
}

}  // namespace

Samples load_samples(const IntNet& net, const std::string& selector, uint64_t limit) {
  if (net.inputs.size() != 1)
    throw Error("the network has {} inputs, evaluation takes exactly one", net.inputs.size());
  Samples samples{load_array(parse_selector(selector)), selector, 0};
  const IntTensor& input = net.tensors[static_cast<size_t>(net.inputs[0])];
  samples.count = sample_count(input, samples.array, selector);
  if (samples.count == 0) throw Error("{}: no samples", selector);
  stored_values(input, samples.array, 0, selector);  // a wrong type fails before any work
  if (limit != 0) samples.count = std::min(samples.count, limit);
  return samples;
}

std::vector<int64_t> load_labels(const std::string& text, const std::string& data_selector,
                                 uint64_t all_samples) {
  ArraySelector selector = parse_selector(text);
  if (!names_a_file(text)) {
    selector = parse_selector(data_selector);
    selector.array = text;
  }
  const NpyArray array = load_array(selector);
  const auto labels = array.as_integers();
  if (labels.size() != all_samples || array.shape.empty() || array.shape[0] != all_samples)
    throw Error("{}: {} labels of shape ({}) for {} samples", text, labels.size(),
                fmt::join(array.shape, ", "), all_samples);
  return labels;
}

Outputs evaluate_host(const std::vector<uint8_t>& container, const Samples& samples,
                      unsigned threads, const std::function<void(uint64_t)>& progress) {
  Outputs outputs(samples.count);
  std::atomic<uint64_t> done{0};
  std::mutex lock;
  for_each_parallel(samples.count, threads, [&] {
    return [&, executor = std::make_unique<HostExecutor>(container)](uint64_t i) {
      const IntNet& net = executor->net();
      const int input = net.inputs.at(0);
      const IntTensor& tensor = net.tensors[static_cast<size_t>(input)];
      executor->write_tensor(input, stored_values(tensor, samples.array, i, samples.name));
      executor->run();
      outputs[i] = executor->read_tensor(net.outputs.at(0));
      const uint64_t finished = ++done;
      if (!progress || finished % 16 != 0) return;
      const std::lock_guard guard(lock);
      progress(finished);
    };
  });
  return outputs;
}

std::vector<uint32_t> top1(const Outputs& outputs) {
  std::vector<uint32_t> best;
  for (const auto& values : outputs)
    best.push_back(static_cast<uint32_t>(std::max_element(values.begin(), values.end()) -
                                         values.begin()));
  return best;
}

uint64_t count_correct(const std::vector<uint32_t>& best, const std::vector<int64_t>& labels) {
  uint64_t correct = 0;
  for (size_t i = 0; i < best.size(); ++i) correct += best[i] == labels.at(i);
  return correct;
}

std::vector<std::vector<uint64_t>> confusion(const std::vector<uint32_t>& best, size_t classes,
                                             const std::vector<int64_t>& labels) {
  std::vector<std::vector<uint64_t>> counts(classes, std::vector<uint64_t>(classes));
  for (size_t i = 0; i < best.size(); ++i) {
    const int64_t label = labels.at(i);
    if (label < 0 || label >= static_cast<int64_t>(classes))
      throw Error("label {} of sample {}: the network has {} outputs", label, i, classes);
    ++counts[static_cast<size_t>(label)][best[i]];
  }
  return counts;
}

}  // namespace mcusim
