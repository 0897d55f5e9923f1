// SPDX-License-Identifier: MIT
// A quantised ONNX network (QDQ, QCDQ below 8 bits, QONNX Quant) split in two: the
// float network without its quantisation nodes, which the float importer reads,
// and the quantisation of its values and constants by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quant/import/onnx_model.h"

namespace mcusim::import {

// real = scale * (q - zero), low <= q <= high; one scale, or one per index of `axis`.
struct Quantisation {
  std::vector<float> scales;
  std::vector<int64_t> zeros;  // as many as scales
  int64_t low = -128, high = 127;
  int64_t axis = 1;

  bool operator==(const Quantisation&) const = default;
};

// A QONNX Trunc behind an average pool: its output is floor(mean * gain / output scale),
// inputs being multiples of `grid`.
struct Truncation {
  double gain = 1, grid = 1;
};

struct Stripped {
  onnx_file::Model model;                                // float
  std::map<std::string, Quantisation> values;            // activations
  std::map<std::string, Quantisation> constants;         // weights and biases
  std::map<std::string, std::vector<int64_t>> integers;  // of those constants
  std::map<std::string, Truncation> truncations;         // by the pool's output
};

bool is_quantised(const onnx_file::Model& model);
// Throws Error that names the node.
Stripped strip_quantisation(onnx_file::Model model, const std::string& name);

}  // namespace mcusim::import
