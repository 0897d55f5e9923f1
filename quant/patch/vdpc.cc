// SPDX-License-Identifier: MIT
#include "quant/patch/vdpc.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>

#include "kernels/host/host_executor.h"
#include "quant/eval/parallel.h"

namespace mcusim::patch {
namespace {

void add(Histogram& to, const Histogram& from) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

void count(Histogram& to, const std::vector<uint8_t>& values) {
  for (const uint8_t value : values) ++to[value];
}

Observed empty(const Patched& patched) {
  Observed observed;
  observed.tensors.resize(patched.net.tensors.size());
  int tiles = 0;
  for (const int tile : patched.tile_of) tiles = std::max(tiles, tile + 1);
  observed.tile_inputs.resize(static_cast<size_t>(tiles));
  return observed;
}

// Half the width of the central mass `phi` of a normal distribution, in deviations.
double central_deviations(double phi) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < phi ? low : high) = middle;
  }
  return (low + high) / 2;
}

// One worker's network and counts.
class Observer {
 public:
  Observer(const Patched& patched, const std::vector<uint8_t>& file, const std::vector<int>& group)
      : patched_(patched), group_(group), executor_(file), seen(empty(patched)) {}

  void run(const std::vector<uint8_t>& sample) {
    const IntNet& net = patched_.net;
    executor_.write_tensor(net.inputs[0], sample);
    count(seen.input, sample);
    std::vector<bool> read(seen.tile_inputs.size());
    for (size_t i = 0; i < patched_.tile_ops; ++i) {
      const auto tile = static_cast<size_t>(patched_.tile_of[i]);
      const int in = net.ops[i].in0;
      const bool from_input = in == net.inputs[0] || net.tensors[in].parent == net.inputs[0];
      if (read[tile] || !from_input) continue;
      read[tile] = true;
      count(seen.tile_inputs[tile], executor_.read_tensor(in));
    }
    executor_.run([&](size_t index) {
      const int out = net.ops[index].out;
      count(seen.tensors[group_[out]], executor_.read_tensor(out));
    });
    ++seen.samples;
  }

 private:
  const Patched& patched_;
  const std::vector<int>& group_;
  HostExecutor executor_;

 public:
  Observed seen;
};

}  // namespace

Observed observe(const Patched& patched, const std::vector<std::vector<uint8_t>>& samples,
                 unsigned threads) {
  const auto file = encode(patched.net);
  const auto group = format_groups(patched.net);
  Observed all = empty(patched);
  std::mutex lock;
  // Sums of counts do not depend on who counted.
  for_each_parallel(samples.size(), threads, [&] {
    auto observer = std::make_shared<Observer>(patched, file, group);
    return [&, observer](uint64_t index) {
      observer->seen = empty(patched);
      observer->run(samples[index]);
      const std::lock_guard guard(lock);
      for (size_t i = 0; i < all.tensors.size(); ++i) add(all.tensors[i], observer->seen.tensors[i]);
      for (size_t i = 0; i < all.tile_inputs.size(); ++i)
        add(all.tile_inputs[i], observer->seen.tile_inputs[i]);
      add(all.input, observer->seen.input);
      ++all.samples;
    };
  });
  return all;
}

std::vector<PatchClass> classify(const Observed& observed, double phi, double threshold) {
  double sum = 0, squares = 0, number = 0;
  for (int value = 0; value < 256; ++value) {
    const auto n = static_cast<double>(observed.input[static_cast<size_t>(value)]);
    number += n;
    sum += n * value;
    squares += n * value * value;
  }
  const double mean = sum / number;
  const double reach =
      central_deviations(phi) * std::sqrt(std::max(0.0, squares / number - mean * mean));
  std::vector<PatchClass> classes;
  for (const Histogram& tile : observed.tile_inputs) {
    uint64_t outliers = 0, values = 0;
    for (int value = 0; value < 256; ++value) {
      const uint64_t n = tile[static_cast<size_t>(value)];
      values += n;
      if (std::fabs(value - mean) > reach) outliers += n;
    }
    const double share = values ? static_cast<double>(outliers) / static_cast<double>(values) : 0;
    classes.push_back({share, share > threshold});
  }
  return classes;
}

}  // namespace mcusim::patch
