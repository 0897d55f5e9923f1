// SPDX-License-Identifier: MIT
// The papers whose experiments can be redone here, one file and one row each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quant/paper/artefact.h"
#include "quant/plan/problem.h"

namespace mcusim::paper {

// A trained float network and labelled inputs, for the accuracy columns.
struct Data {
  std::string model;                      // .onnx
  std::string selector;                   // FILE:array, without a range
  std::vector<std::string> input_words;   // --input-scale and so on, as `quantize` takes them
  uint64_t calibration = 0;               // ranges are chosen on inputs 0 .. calibration-1
  std::string labels_text;                // FILE[:array], or an array of the data file
  std::vector<int64_t> labels;            // of all inputs
  uint64_t float_correct = 0;             // of the inputs behind them, by the float network
  plan::Problem problem;                  // of the model
};

struct Options {
  std::string folder, board = "stm32h743";
  unsigned jobs = 1;
  std::vector<std::string> networks;      // empty: all; else only these, 128_0.25 and so on
  unsigned episodes = 300, seeds = 5;     // of searches that try plans
  std::optional<Data> data;
  std::function<void(const std::string& what, size_t done, size_t total)> progress;
};

struct Paper {
  const char* name;
  const char* description;
  Page (*make)(const Options& options);
};
std::span<const Paper> papers();

Page rusci2019(const Options& options);
Page rusci2020(const Options& options);

}  // namespace mcusim::paper
