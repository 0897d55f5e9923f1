// SPDX-License-Identifier: MIT
// Evaluation on the emulated target: the sibling program `mcusim` runs each part
// of the samples. The two programs share files, never memory.
#include <algorithm>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/process.h"
#include "quant/eval/evaluate.h"

namespace mcusim {
namespace {

NpyArray rows(const NpyArray& array, uint64_t samples, uint64_t first, uint64_t last) {
  // A lone sample may come without an axis of samples.
  if (samples == 1 && last - first == 1) return array;
  const uint64_t row_bytes = array.bytes.size() / array.shape.at(0);
  NpyArray part{array.dtype, array.shape, {}};
  part.shape[0] = last - first;
  part.bytes.assign(array.bytes.begin() + static_cast<int64_t>(first * row_bytes),
                    array.bytes.begin() + static_cast<int64_t>(last * row_bytes));
  return part;
}

}  // namespace

Outputs evaluate_simulated(const std::vector<uint8_t>& container, const Samples& samples,
                           unsigned threads) {
  const TemporaryDirectory folder;
  const std::string net_path = folder.file("net.bin");
  write_file(net_path, container);
  const IntNet net = decode(container.data(), container.size());
  const IntTensor& tensor = net.tensors[static_cast<size_t>(net.outputs.at(0))];
  const size_t values = size_t{tensor.h} * tensor.w * tensor.c;

  const uint64_t parts = std::min<uint64_t>(std::max(threads, 1u), samples.count);
  const auto first_of = [&](uint64_t part) { return samples.count * part / parts; };
  const auto output_of = [&](uint64_t part) { return folder.file(fmt::format("{}_y.npy", part)); };
  std::vector<Command> commands;
  for (uint64_t part = 0; part < parts; ++part) {
    const std::string input = folder.file(fmt::format("{}_x.npy", part));
    write_file(input, format_npy(rows(samples.array, samples.count, first_of(part), first_of(part + 1))));
    commands.push_back({{sibling_program("mcusim"), "run", net_path, "--input", input, "--output",
                         output_of(part), "--fast", "--quiet"},
                        folder.file(fmt::format("{}.log", part)), ""});
  }
  run_commands(commands, static_cast<unsigned>(parts), [&](size_t part, int status) {
    if (status != 0)
      throw Error("mcusim run on samples {}..{} failed: {}", first_of(part), first_of(part + 1) - 1,
                  last_line(read_text_file(commands[part].log)));
  });

  Outputs outputs;
  for (uint64_t part = 0; part < parts; ++part) {
    const NpyArray array = load_array(parse_selector(output_of(part)));
    const uint64_t count = first_of(part + 1) - first_of(part);
    if (array.item_bytes() != 1 || array.bytes.size() != count * values)
      throw Error("mcusim run: {} output bytes for {} samples of {}", array.bytes.size(), count,
                  values);
    const uint8_t offset = tensor.signed_view ? static_cast<uint8_t>(1u << (tensor.bits - 1)) : 0;
    for (uint64_t i = 0; i < count; ++i) {
      const auto begin = array.bytes.begin() + static_cast<int64_t>(i * values);
      std::vector<uint8_t> stored(begin, begin + static_cast<int64_t>(values));
      for (uint8_t& value : stored) value = static_cast<uint8_t>(value + offset);
      outputs.push_back(std::move(stored));
    }
  }
  return outputs;
}

}  // namespace mcusim
