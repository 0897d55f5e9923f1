// SPDX-License-Identifier: MIT
// What a plan is worth: the integer network it makes, run on labelled inputs by the
// host kernels.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quant/quantise/compare.h"
#include "quant/quantise/convert.h"

namespace mcusim::search {

struct Score {
  uint64_t correct = 0;        // inputs whose largest output is their label
  double cross_entropy = 0;    // mean over the inputs, natural logarithm
};

class PlanScorer {
 public:
  // All references must outlive the scorer; `labels` has one class per sample.
  PlanScorer(const graph::Graph& graph, const graph::LayerGraph& layers,
             const plan::Problem& problem, const std::vector<quantise::Distribution>& values,
             const quantise::ConvertOptions& options, const std::vector<quantise::Sample>& samples,
             const std::vector<int64_t>& labels, unsigned threads);

  Score measure(const plan::Widths& widths) const;

 private:
  const graph::Graph& graph_;
  const graph::LayerGraph& layers_;
  const plan::Problem& problem_;
  const std::vector<quantise::Distribution>& values_;
  const quantise::ConvertOptions& options_;
  const std::vector<quantise::Sample>& samples_;
  const std::vector<int64_t>& labels_;
  unsigned threads_;
};

// Scores on disk, so that a search that was killed measures nothing twice: the whole
// search is repeated with the scores it already has.
class ScoreLog {
 public:
  // Reads `path` if it exists; empty: nothing is kept. Throws Error for a file that is
  // no log, or one of another `fingerprint` (network, data and arithmetic).
  ScoreLog(const std::string& path, const std::string& fingerprint);
  const Score* find(const plan::Widths& widths) const;
  void add(const plan::Widths& widths, const Score& score);
  void write() const;   // atomic
  size_t size() const { return scores_.size(); }

 private:
  std::string path_, fingerprint_;
  std::map<std::vector<uint8_t>, Score> scores_;  // weight widths, then tensor widths
};

}  // namespace mcusim::search
