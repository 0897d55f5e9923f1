// SPDX-License-Identifier: MIT
// Operators with weights: convolution, depthwise convolution, fully connected.
// Weights become stored values (q + 128) in the natural order of IntOp; each
// channel's accumulator is bounded from its real weights before it is accepted.
#include <algorithm>
#include <cmath>
#include <limits>

#include "memmap/base/error.h"
#include "kernels/host/accumulators.h"
#include "quant/import/tflite_importer.h"

namespace mcusim {
namespace {

// Constant int8 values; int4 is widened (low half first).
std::vector<int8_t> weight_values(const TfliteTensor& weights) {
  if (!weights.constant() || weights.sparse)
    throw Error("weights {} are not a dense constant", weights.name);
  if (weights.type == tflite::TensorType::int8) return {weights.data.begin(), weights.data.end()};
  if (weights.type != tflite::TensorType::int4)
    throw Error("weights are {}, expected int8", tflite_type_name(weights.type));
  std::vector<int8_t> values;
  for (uint64_t i = 0; i < weights.elements; ++i) {
    const int nibble = weights.data[i / 2] >> (i % 2 * 4) & 15;
    values.push_back(static_cast<int8_t>(nibble >= 8 ? nibble - 16 : nibble));
  }
  return values;
}

uint8_t stored(int8_t q) { return static_cast<uint8_t>(q + 128); }

std::vector<int32_t> bias_values(const TfliteImporter& in, const TfliteOp& op, uint32_t channels) {
  if (op.input(2) < 0) return std::vector<int32_t>(channels, 0);
  const TfliteTensor& bias = in.tensor(op.input(2));
  if (bias.type != tflite::TensorType::int32)
    throw Error("bias is {}, expected int32", tflite_type_name(bias.type));
  const auto wide = tflite_integers(bias);
  if (wide.size() != channels) throw Error("{} biases for {} channels", wide.size(), channels);
  return {wide.begin(), wide.end()};
}

// Scales of the weights: one, or one per channel along `axis`.
void check_weight_scales(const TfliteTensor& weights, uint32_t channels, int axis) {
  const size_t n = weights.scales.size();
  if (n != 1 && n != channels) throw Error("{} weight scales for {} channels", n, channels);
  if (n > 1 && weights.quantized_dimension != axis)
    throw Error("weights are quantised along axis {}, expected {}", weights.quantized_dimension,
                axis);
  for (const float scale : weights.scales)
    if (!std::isfinite(scale) || scale < 0) throw Error("weight scale {}", scale);
}

// Weights, biases and multipliers that every weighted operator has.
void set_parameters(TfliteImporter& in, const TfliteOp& op, IntOp& made, uint32_t channels,
                    const TfliteTensor& weights) {
  made.weight_bits = 8;
  made.weight_zero_points = {128};
  made.bias = bias_values(in, op, channels);
  const double sx = in.scale(made.in0), sy = in.scale(made.out);
  for (const float sw : weights.scales) {
    const FixedMultiplier m = tflite_multiplier(sx * static_cast<double>(sw) / sy);
    made.mult.push_back(m.mult);
    made.shift.push_back(m.shift);
  }
}

void check_symmetric(const TfliteTensor& weights) {
  for (const int64_t zero : weights.zero_points)
    if (zero != 0) throw Error("weight zero point {}, expected 0", zero);
}

template <typename Options>
void check_dilation(const Options& options) {
  if (options.dilation_h() != 1 || options.dilation_w() != 1)
    throw Error("dilation {}x{} is not supported", options.dilation_h(), options.dilation_w());
}

const TfliteTensor& weights_of(const TfliteImporter& in, const TfliteOp& op, size_t rank) {
  if (op.input(1) < 0) throw Error("weights are missing");
  const TfliteTensor& weights = in.tensor(op.input(1));
  if (weights.shape.size() != rank)
    throw Error("weights of {} axes, expected {}", weights.shape.size(), rank);
  for (const uint32_t n : weights.shape)
    if (n > net::kMaxDim) throw Error("weights with dimension {}", n);
  return weights;
}

}  // namespace

void import_conv2d(TfliteImporter& in, const TfliteOp& op) {
  const auto* options = op.raw->options_as_Conv2D();
  if (!options) throw Error("has no convolution options");
  check_dilation(*options);
  const TfliteInput x = in.input(op, 0, true);
  const TfliteTensor& weights = weights_of(in, op, 4);
  const uint32_t channels = weights.shape[0];
  const uint32_t groups = x.c / weights.shape[3];
  if (groups * weights.shape[3] != x.c || channels % groups != 0)
    throw Error("{} filters of {} input channels, input has {}", channels, weights.shape[3], x.c);
  check_weight_scales(weights, channels, 0);
  check_symmetric(weights);
  IntOp made = in.start(op, net::OpKind::conv2d, net::Contract::tflite);
  made.in0 = x.id;
  set_window(made, x, in.at(made.out), options->padding(), static_cast<int32_t>(weights.shape[1]),
             static_cast<int32_t>(weights.shape[2]), options->stride_h(), options->stride_w());
  check_output_shape(in.at(made.out), {in.at(made.out).h, in.at(made.out).w, channels});
  set_activation(made, in.at(made.out), options->activation());
  for (const int8_t q : weight_values(weights)) made.weights.push_back(stored(q));
  set_parameters(in, op, made, channels, weights);
  check_accumulators(made, in.at(x.id));
  in.finish(std::move(made), groups);
}

void import_depthwise(TfliteImporter& in, const TfliteOp& op) {
  const auto* options = op.raw->options_as_DepthwiseConv2D();
  if (!options) throw Error("has no depthwise options");
  check_dilation(*options);
  const TfliteInput x = in.input(op, 0, true);
  const TfliteTensor& weights = weights_of(in, op, 4);
  const uint32_t channels = weights.shape[3];
  if (weights.shape[0] != 1) throw Error("weights with first dimension {}", weights.shape[0]);
  if (channels % x.c != 0)
    throw Error("{} output channels from {} input channels", channels, x.c);
  // With a multiplier: a plain convolution of one channel, in as many groups as channels.
  const bool plain = channels > x.c;
  check_weight_scales(weights, channels, 3);
  check_symmetric(weights);
  IntOp made =
      in.start(op, plain ? net::OpKind::conv2d : net::OpKind::depthwise, net::Contract::tflite);
  made.in0 = x.id;
  set_window(made, x, in.at(made.out), options->padding(), static_cast<int32_t>(weights.shape[1]),
             static_cast<int32_t>(weights.shape[2]), options->stride_h(), options->stride_w());
  check_output_shape(in.at(made.out), {in.at(made.out).h, in.at(made.out).w, channels});
  set_activation(made, in.at(made.out), options->activation());
  const auto values = weight_values(weights);
  const size_t taps = values.size() / channels;
  for (size_t i = 0; i < values.size(); ++i)
    made.weights.push_back(stored(plain ? values[i % taps * channels + i / taps] : values[i]));
  set_parameters(in, op, made, channels, weights);
  check_accumulators(made, in.at(x.id));
  in.finish(std::move(made), plain ? x.c : 1);
}

void import_fully_connected(TfliteImporter& in, const TfliteOp& op) {
  const auto* options = op.raw->options_as_FullyConnected();
  if (options && options->weights_format() != 0) throw Error("shuffled weights are not supported");
  const TfliteInput x = in.input(op, 0);
  const TfliteTensor& weights = weights_of(in, op, 2);
  const uint32_t channels = weights.shape[0], inputs = weights.shape[1];
  if (uint64_t{x.h} * x.w * x.c != inputs)
    throw Error("weights for {} inputs, input has {}", inputs, uint64_t{x.h} * x.w * x.c);
  check_weight_scales(weights, channels, 0);
  IntOp made = in.start(op, net::OpKind::fully_connected, net::Contract::tflite);
  made.in0 = x.id;
  check_output_shape(in.at(made.out), {1, 1, channels});
  set_activation(made, in.at(made.out), options ? options->activation() : tflite::Activation::none);
  for (const int8_t q : weight_values(weights)) made.weights.push_back(stored(q));
  set_parameters(in, op, made, channels, weights);
  if (weights.scales.size() == 1) {
    // With one scale the product of the scales is rounded to float32 first.
    const float product = in.scale(x.id) * weights.scales[0];
    const FixedMultiplier m =
        tflite_multiplier(static_cast<double>(product) / static_cast<double>(in.scale(made.out)));
    made.mult = {m.mult};
    made.shift = {m.shift};
    const int64_t zero = weights.zero_points[0];
    if (zero < -128 || zero > 127) throw Error("weight zero point {}", zero);
    made.weight_zero_points = {static_cast<int32_t>(zero) + 128};
  } else {
    check_symmetric(weights);
  }
  check_accumulators(made, in.at(x.id));
  in.finish(std::move(made));
}

}  // namespace mcusim
