// SPDX-License-Identifier: MIT
// Small TensorFlow Lite models made in a test: tensors, constants and operators in
// the order given, written with the FlatBuffers builder.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "quant/import/tflite_generated.h"

namespace mcusim::testing {

class TfliteBuilder {
 public:
  static constexpr int kAdd = 0, kAveragePool = 1, kConv2d = 3, kDepthwise = 4, kDequantize = 6,
                       kFullyConnected = 9, kMaxPool = 17, kMul = 18, kRelu = 19, kReshape = 22, kSoftmax = 25, kPad = 34,
                       kTranspose = 39, kMean = 40, kQuantize = 114;

  flatbuffers::FlatBufferBuilder fbb;

  int tensor(const std::string& name, std::vector<int32_t> shape, std::vector<float> scales,
             std::vector<int64_t> zero_points = {0},
             tflite::TensorType type = tflite::TensorType::int8) {
    return add(name, std::move(shape), std::move(scales), std::move(zero_points), type, 0, 0);
  }

  // A constant of int8, uint16 (as float16), int32 or float elements.
  template <typename T>
  int constant(const std::string& name, std::vector<int32_t> shape, const std::vector<T>& values,
               std::vector<float> scales = {}, int axis = 0) {
    std::vector<uint8_t> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    buffers_.push_back(tflite::CreateBufferDirect(fbb, &bytes));
    const auto type = std::is_same_v<T, float>      ? tflite::TensorType::float32
                      : std::is_same_v<T, uint16_t> ? tflite::TensorType::float16
                      : std::is_same_v<T, int8_t>   ? tflite::TensorType::int8
                                                    : tflite::TensorType::int32;
    const std::vector<int64_t> zeros(scales.size(), 0);
    return add(name, std::move(shape), std::move(scales), zeros, type,
               static_cast<uint32_t>(buffers_.size()), axis);
  }

  // Int4 constant; `packed` holds two elements per byte.
  int constant_int4(const std::string& name, std::vector<int32_t> shape,
                    const std::vector<uint8_t>& packed, std::vector<float> scales) {
    buffers_.push_back(tflite::CreateBufferDirect(fbb, &packed));
    const std::vector<int64_t> zeros(scales.size(), 0);
    return add(name, std::move(shape), std::move(scales), zeros, tflite::TensorType::int4,
               static_cast<uint32_t>(buffers_.size()), 0);
  }

  void op(int code, const std::vector<int32_t>& inputs, const std::vector<int32_t>& outputs,
          tflite::Options type = tflite::Options::NONE, flatbuffers::Offset<void> options = 0) {
    codes_.push_back(tflite::CreateOperatorCodeDirect(
        fbb, static_cast<int8_t>(code < 127 ? code : 127), nullptr, 1, code));
    ops_.push_back(tflite::CreateOperatorDirect(fbb, static_cast<uint32_t>(codes_.size() - 1),
                                                &inputs, &outputs, type, options));
  }

  void conv(int in, int weights, int bias, int out, tflite::Padding padding, int stride = 1,
            tflite::Activation activation = tflite::Activation::none, int dilation = 1) {
    op(kConv2d, {in, weights, bias}, {out}, tflite::Options::Conv2D,
       tflite::CreateConv2D(fbb, padding, stride, stride, activation, dilation, dilation).Union());
  }
  void depthwise(int in, int weights, int bias, int out, tflite::Padding padding, int stride = 1) {
    op(kDepthwise, {in, weights, bias}, {out}, tflite::Options::DepthwiseConv2D,
       tflite::CreateDepthwiseConv2D(fbb, padding, stride, stride, 1).Union());
  }
  void pool(int code, int in, int out, tflite::Padding padding, int size, int stride) {
    op(code, {in}, {out}, tflite::Options::Pool2D,
       tflite::CreatePool2D(fbb, padding, stride, stride, size, size).Union());
  }

  std::vector<uint8_t> finish(const std::vector<int32_t>& inputs,
                              const std::vector<int32_t>& outputs, uint32_t version = 3,
                              int graphs = 1) {
    std::vector<flatbuffers::Offset<tflite::SubGraph>> subgraphs;
    for (int i = 0; i < graphs; ++i)
      subgraphs.push_back(
          tflite::CreateSubGraphDirect(fbb, &tensors_, &inputs, &outputs, &ops_, "main"));
    std::vector<flatbuffers::Offset<tflite::Buffer>> buffers = {tflite::CreateBuffer(fbb)};
    buffers.insert(buffers.end(), buffers_.begin(), buffers_.end());
    tflite::FinishModelBuffer(
        fbb, tflite::CreateModelDirect(fbb, version, &codes_, &subgraphs, "test", &buffers));
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
  }

 private:
  int add(const std::string& name, std::vector<int32_t> shape, std::vector<float> scales,
          std::vector<int64_t> zeros, tflite::TensorType type, uint32_t buffer, int axis) {
    zeros.resize(scales.size(), zeros.empty() ? 0 : zeros[0]);
    const auto quantization =
        tflite::CreateQuantizationDirect(fbb, nullptr, nullptr, &scales, &zeros, 0, 0, axis);
    tensors_.push_back(
        tflite::CreateTensorDirect(fbb, &shape, type, buffer, name.c_str(), quantization));
    return static_cast<int>(tensors_.size()) - 1;
  }

  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<tflite::Buffer>> buffers_;
  std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes_;
  std::vector<flatbuffers::Offset<tflite::Operator>> ops_;
};

}  // namespace mcusim::testing
