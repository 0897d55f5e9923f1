// SPDX-License-Identifier: MIT
// Shapes, windows and clamp ranges as TensorFlow Lite defines them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "memmap/base/error.h"
#include "quant/import/tflite_importer.h"

namespace mcusim {
namespace {

struct Window {
  uint32_t out = 0, before = 0, after = 0;
};

// One axis: SAME gives ceil(in / stride) outputs and puts the odd unit after.
Window window(uint32_t in, uint32_t kernel, uint32_t stride, tflite::Padding padding) {
  if (padding == tflite::Padding::valid) {
    if (kernel > in) throw Error("kernel of {} is larger than the input of {}", kernel, in);
    return {(in - kernel) / stride + 1, 0, 0};
  }
  const uint32_t out = (in + stride - 1) / stride;
  const uint32_t covered = (out - 1) * stride + kernel;
  const uint32_t total = covered > in ? covered - in : 0;
  return {out, total / 2, total - total / 2};
}

uint32_t in_range(int32_t value, const char* what) {
  if (value < 1 || value > static_cast<int32_t>(net::kMaxDim)) throw Error("{} of {}", what, value);
  return static_cast<uint32_t>(value);
}

}  // namespace

Shape3 tflite_shape(const TfliteTensor& tensor) {
  const auto& s = tensor.shape;
  if (s.size() > 4 || (s.size() > 1 && s[0] != 1))
    throw Error("shape [{}] is not of batch 1 and at most 4 axes", fmt::join(s, ","));
  for (const uint32_t n : s)
    if (n > net::kMaxDim) throw Error("dimension {} is larger than {}", n, net::kMaxDim);
  switch (s.size()) {
    case 4:
      return {s[1], s[2], s[3]};
    case 3:
      return {1, s[1], s[2]};
    case 2:
      return {1, 1, s[1]};
    case 1:
      return {1, 1, s[0]};
    default:
      return {1, 1, 1};
  }
}

std::vector<int64_t> tflite_integers(const TfliteTensor& tensor) {
  std::vector<int64_t> values;
  const bool wide = tensor.type == tflite::TensorType::int64;
  if (!tensor.constant() || (!wide && tensor.type != tflite::TensorType::int32))
    throw Error("{} is not a constant of int32 or int64", tensor.name);
  for (size_t at = 0; at < tensor.data.size(); at += wide ? 8 : 4) {
    int64_t value = 0;
    int32_t narrow = 0;
    if (wide)
      std::memcpy(&value, tensor.data.data() + at, 8);
    else
      std::memcpy(&narrow, tensor.data.data() + at, 4);
    values.push_back(wide ? value : narrow);
  }
  return values;
}

void set_activation(IntOp& op, const IntTensor& out, tflite::Activation activation) {
  op.act_min = 0;
  op.act_max = 255;
  if (activation == tflite::Activation::none) return;
  if (activation != tflite::Activation::relu && activation != tflite::Activation::relu6)
    throw Error("fused activation number {} is not supported", static_cast<int>(activation));
  op.act_min = out.zero_point;
  if (activation == tflite::Activation::relu6) {
    // float32 division, as the file's scale is a float32; 1e6 is beyond any clamp.
    const double six = std::min(std::round(6.0f / out.scale), 1e6f);
    op.act_max = static_cast<int32_t>(std::min<double>(255, out.zero_point + six));
  }
}

void set_window(IntOp& op, const TfliteInput& in, const IntTensor& out, tflite::Padding padding,
                int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w) {
  if (padding != tflite::Padding::same && padding != tflite::Padding::valid)
    throw Error("padding number {}", static_cast<int>(padding));
  op.kernel_h = in_range(kernel_h, "kernel height");
  op.kernel_w = in_range(kernel_w, "kernel width");
  op.stride_h = in_range(stride_h, "vertical stride");
  op.stride_w = in_range(stride_w, "horizontal stride");
  const Window y = window(in.h, op.kernel_h, op.stride_h, padding);
  const Window x = window(in.w, op.kernel_w, op.stride_w, padding);
  op.pad_top = in.pad_top + y.before;
  op.pad_bottom = in.pad_bottom + y.after;
  op.pad_left = in.pad_left + x.before;
  op.pad_right = in.pad_right + x.after;
  if (out.h != y.out || out.w != x.out)
    throw Error("output is {}x{}, but {}x{} follows from the input, kernel and stride", out.h,
                out.w, y.out, x.out);
}

void check_output_shape(const IntTensor& out, Shape3 expected) {
  if (Shape3{out.h, out.w, out.c} != expected)
    throw Error("output is {}x{}x{}, expected {}x{}x{}", out.h, out.w, out.c, expected.h,
                expected.w, expected.c);
}

void check_same_quantisation(const IntTensor& a, const IntTensor& b) {
  if (a.scale != b.scale || a.zero_point != b.zero_point)
    throw Error("input and output differ in scale ({:.9g}, {:.9g}) or zero point ({}, {})", a.scale,
                b.scale, a.zero_point, b.zero_point);
}

}  // namespace mcusim
