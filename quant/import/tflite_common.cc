// SPDX-License-Identifier: MIT
// Shapes, windows and clamp ranges as TensorFlow Lite defines them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "memmap/base/error.h"
#include "quant/import/tflite_importer.h"

namespace mcusim {
namespace {

uint32_t in_range(int32_t value, const std::string& what) {
  if (value < 1 || value > static_cast<int32_t>(net::kMaxDim)) throw Error("{} of {}", what, value);
  return static_cast<uint32_t>(value);
}

}  // namespace

TfliteWindow tflite_window(uint32_t in, int32_t kernel_size, int32_t step, tflite::Padding padding,
                           const std::string& axis) {
  if (padding != tflite::Padding::same && padding != tflite::Padding::valid)
    throw Error("padding number {}", static_cast<int>(padding));
  const uint32_t kernel = in_range(kernel_size, "kernel " + axis);
  const uint32_t stride = in_range(step, axis + " stride");
  if (padding == tflite::Padding::valid) {
    if (kernel > in) throw Error("kernel of {} is larger than the input of {}", kernel, in);
    return {(in - kernel) / stride + 1, 0, 0};
  }
  const uint32_t out = (in + stride - 1) / stride;
  const uint32_t covered = (out - 1) * stride + kernel;
  const uint32_t total = covered > in ? covered - in : 0;
  return {out, total / 2, total - total / 2};
}

TflitePadding tflite_padding(const TfliteModel& model, const TfliteOp& op, size_t rank) {
  if (op.input(1) < 0) throw Error("paddings are missing");
  const auto pads = tflite_integers(model.tensors[static_cast<size_t>(op.input(1))]);
  if (rank != 4 || pads.size() != 8) throw Error("{} paddings for {} axes", pads.size(), rank);
  for (const int64_t pad : pads)
    if (pad < 0 || pad > static_cast<int64_t>(net::kMaxDim)) throw Error("padding {}", pad);
  if (pads[0] != 0 || pads[1] != 0 || pads[6] != 0 || pads[7] != 0)
    throw Error("padding of batch or channels is not supported");
  return {static_cast<uint32_t>(pads[2]), static_cast<uint32_t>(pads[3]),
          static_cast<uint32_t>(pads[4]), static_cast<uint32_t>(pads[5])};
}

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
  const TfliteWindow y = tflite_window(in.h, kernel_h, stride_h, padding, "height");
  const TfliteWindow x = tflite_window(in.w, kernel_w, stride_w, padding, "width");
  op.kernel_h = static_cast<uint32_t>(kernel_h);
  op.kernel_w = static_cast<uint32_t>(kernel_w);
  op.stride_h = static_cast<uint32_t>(stride_h);
  op.stride_w = static_cast<uint32_t>(stride_w);
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
