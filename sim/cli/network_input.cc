// SPDX-License-Identifier: MIT
#include "sim/cli/network_input.h"

#include <algorithm>
#include <string_view>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"
#include "sim/cli/convert_model.h"

namespace mcusim::cli {

std::optional<std::vector<uint8_t>> load_network(const std::string& path) {
  auto bytes = read_file(path);
  const auto starts = [&](size_t offset, std::string_view magic) {
    return bytes.size() >= offset + magic.size() &&
           std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<ptrdiff_t>(offset));
  };
  if (starts(0, "MCUN")) return bytes;
  const bool is_model = path.ends_with(".tflite") || path.ends_with(".onnx") || path.ends_with(".json");
  if (is_model || starts(4, "TFL3")) return convert_model(path);
  return std::nullopt;
}

Feed make_feed(const IntNet& net, const std::string& input, uint64_t seed) {
  Feed feed;
  if (input.empty()) {
    feed.name = fmt::format("seed {}", seed);
    feed.samples.emplace_back();
    for (size_t i = 0; i < net.inputs.size(); ++i)
      feed.samples[0].push_back(seeded_values(net.tensors[static_cast<size_t>(net.inputs[i])], seed + i));
    return feed;
  }
  if (net.inputs.size() != 1)
    throw Error("{}: the network has {} inputs, --input feeds one", net.name, net.inputs.size());
  const IntTensor& tensor = net.tensors[static_cast<size_t>(net.inputs[0])];
  feed.name = input;
  if (input.ends_with(".raw") || input.ends_with(".bin")) {
    const auto bytes = read_file(input);
    feed.samples = {{stored_values(tensor, {tensor.signed_view ? "|i1" : "|u1", {bytes.size()}, bytes}, 0, input)}};
    return feed;
  }
  const NpyArray array = load_array(parse_selector(input));
  for (uint64_t i = 0; i < sample_count(tensor, array, input); ++i)
    feed.samples.push_back({stored_values(tensor, array, i, input)});
  if (feed.samples.empty()) throw Error("{}: no samples", input);
  return feed;
}

}  // namespace mcusim::cli
