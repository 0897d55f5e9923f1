// SPDX-License-Identifier: MIT
#include "quant/search/plan_score.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/host/host_executor.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/eval/parallel.h"
#include "quant/pack/place.h"

namespace mcusim::search {
namespace {

std::vector<uint8_t> key_of(const plan::Widths& widths) {
  auto key = widths.weight_bits;
  key.insert(key.end(), widths.tensor_bits.begin(), widths.tensor_bits.end());
  return key;
}

double cross_entropy(const std::vector<uint8_t>& stored, double scale, size_t label) {
  const double top = *std::max_element(stored.begin(), stored.end());
  double sum = 0;
  for (const uint8_t value : stored) sum += std::exp(scale * (value - top));
  return std::log(sum) - scale * (stored[label] - top);
}

}  // namespace

PlanScorer::PlanScorer(const graph::Graph& graph, const graph::LayerGraph& layers,
                       const plan::Problem& problem,
                       const std::vector<quantise::Distribution>& values,
                       const quantise::ConvertOptions& options,
                       const std::vector<quantise::Sample>& samples,
                       const std::vector<int64_t>& labels, unsigned threads)
    : graph_(graph), layers_(layers), problem_(problem), values_(values), options_(options),
      samples_(samples), labels_(labels), threads_(threads) {
  const auto classes = static_cast<int64_t>(graph.values[layers.outputs[0]].elements());
  if (labels.size() != samples.size())
    throw Error("search: {} inputs, {} labels", samples.size(), labels.size());
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      throw Error("search: label {} of input {}: the network has {} classes", labels[i], i, classes);
}

Score PlanScorer::measure(const plan::Widths& widths) const {
  auto converted = quantise::convert(graph_, layers_, problem_, widths, values_, options_);
  place_tensors(converted.net);
  const auto file = encode(converted.net);
  const auto& net = converted.net;
  const double scale = net.tensors[net.outputs[0]].scale;
  std::vector<Score> single(samples_.size());
  for_each_parallel(samples_.size(), threads_, [&] {
    return [&, executor = HostExecutor(file)](uint64_t i) mutable {
      executor.write_tensor(net.inputs[0], samples_[i].stored);
      executor.run();
      const auto outputs = executor.read_tensor(net.outputs[0]);
      const auto label = static_cast<size_t>(labels_[i]);
      const auto best = std::max_element(outputs.begin(), outputs.end()) - outputs.begin();
      single[i] = {static_cast<size_t>(best) == label, cross_entropy(outputs, scale, label)};
    };
  });
  Score total;
  for (const auto& score : single) {
    total.correct += score.correct;
    total.cross_entropy += score.cross_entropy / static_cast<double>(single.size());
  }
  return total;
}

ScoreLog::ScoreLog(const std::string& path, const std::string& fingerprint)
    : path_(path), fingerprint_(fingerprint) {
  if (path.empty() || !std::filesystem::exists(path)) return;
  try {
    const auto json = nlohmann::json::parse(read_text_file(path));
    if (json.at("fingerprint").get<std::string>() != fingerprint)
      throw Error("{}: scores of another network, data set or arithmetic; remove it or name "
                  "another file", path);
    for (const auto& row : json.at("scores"))
      scores_[row.at("widths").get<std::vector<uint8_t>>()] = {
          row.at("correct").get<uint64_t>(), row.at("cross_entropy").get<double>()};
  } catch (const nlohmann::json::exception&) {
    throw Error("{}: not a log of scores", path);
  }
}

const Score* ScoreLog::find(const plan::Widths& widths) const {
  const auto found = scores_.find(key_of(widths));
  return found == scores_.end() ? nullptr : &found->second;
}

void ScoreLog::add(const plan::Widths& widths, const Score& score) {
  scores_[key_of(widths)] = score;
}

void ScoreLog::write() const {
  if (path_.empty()) return;
  nlohmann::ordered_json json;
  json["fingerprint"] = fingerprint_;
  json["scores"] = nlohmann::json::array();
  for (const auto& [widths, score] : scores_)
    json["scores"].push_back({{"widths", widths},
                              {"correct", score.correct},
                              {"cross_entropy", score.cross_entropy}});
  write_file(path_, json.dump() + "\n");
}

}  // namespace mcusim::search
