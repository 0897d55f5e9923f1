// SPDX-License-Identifier: MIT
// A network over many inputs: the outputs of every sample, by the host engine on
// several threads, and what labels say about them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "memmap/base/npy.h"

namespace mcusim {

// Stored values of the network's first output, one entry per sample.
using Outputs = std::vector<std::vector<uint8_t>>;

struct Samples {
  NpyArray array;
  std::string name;    // for messages
  uint64_t count = 0;  // taken from the front
};

// Loads the inputs of a one-input network and checks type and shape; at most
// `limit` samples are taken (0: all).
Samples load_samples(const IntNet& net, const std::string& selector, uint64_t limit);

// Labels of the samples: `text` is FILE[:array][range], or the name of another
// array of the data file, read over the same range.
std::vector<int64_t> load_labels(const std::string& text, const std::string& data_selector,
                                 uint64_t all_samples);

// `progress` (may be empty) sees the number of finished samples now and then.
Outputs evaluate_host(const std::vector<uint8_t>& container, const Samples& samples,
                      unsigned threads, const std::function<void(uint64_t)>& progress = {});

// The same by the emulated target: one `mcusim run` per thread over a part of the samples.
Outputs evaluate_simulated(const std::vector<uint8_t>& container, const Samples& samples,
                           unsigned threads);

// Index of the first largest value of every output.
std::vector<uint32_t> top1(const Outputs& outputs);
uint64_t count_correct(const std::vector<uint32_t>& best, const std::vector<int64_t>& labels);
// counts[label][top1]; labels outside the classes are an Error.
std::vector<std::vector<uint64_t>> confusion(const std::vector<uint32_t>& best, size_t classes,
                                             const std::vector<int64_t>& labels);

}  // namespace mcusim
