// SPDX-License-Identifier: MIT
#include "kernels/host/tensor_io.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

std::vector<uint64_t> without_ones(std::vector<uint64_t> shape) {
  std::erase(shape, 1u);
  return shape;
}

std::vector<uint64_t> tensor_shape(const IntTensor& t) { return {t.h, t.w, t.c}; }

uint64_t elements(const IntTensor& t) { return uint64_t{t.h} * t.w * t.c; }

int32_t levels(const IntTensor& t) { return 1 << t.bits; }

[[noreturn]] void wrong_shape(const IntTensor& t, const NpyArray& array, const std::string& name) {
  throw Error("{}: shape ({}) does not fit input {} of shape ({}), with or without a first axis of samples",
              name, fmt::join(array.shape, ", "), t.name, fmt::join(tensor_shape(t), ", "));
}

uint8_t stored_from_integer(const IntTensor& t, int64_t value, const std::string& name) {
  const int64_t stored = value + (t.signed_view ? levels(t) / 2 : 0);
  if (stored < 0 || stored >= levels(t))
    throw Error("{}: value {} does not fit input {} ({} bits, {})", name, value, t.name, t.bits,
                t.signed_view ? "signed" : "unsigned");
  return static_cast<uint8_t>(stored);
}

uint8_t stored_from_real(const IntTensor& t, double value, const std::string& name) {
  if (!std::isfinite(value)) throw Error("{}: value {} is not a finite number", name, value);
  const double stored = std::nearbyint(value / static_cast<double>(t.scale)) + t.zero_point;
  return static_cast<uint8_t>(std::clamp(stored, 0.0, static_cast<double>(levels(t) - 1)));
}

template <typename T>
T element(const NpyArray& array, uint64_t index) {
  T value;
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

uint64_t sample_count(const IntTensor& tensor, const NpyArray& array, const std::string& name) {
  const auto wanted = without_ones(tensor_shape(tensor));
  if (without_ones(array.shape) == wanted) return 1;
  if (array.shape.empty()) wrong_shape(tensor, array, name);
  const std::vector<uint64_t> rest(array.shape.begin() + 1, array.shape.end());
  if (without_ones(rest) != wanted) wrong_shape(tensor, array, name);
  return array.shape[0];
}

std::vector<uint8_t> stored_values(const IntTensor& tensor, const NpyArray& array, uint64_t index,
                                   const std::string& name) {
  const uint64_t samples = sample_count(tensor, array, name);
  if (index >= samples) throw Error("{}: no sample {} (it has {})", name, index, samples);
  const uint64_t count = elements(tensor), first = index * count;
  std::vector<uint8_t> out(count);
  auto fill = [&](auto convert) {
    for (uint64_t i = 0; i < count; ++i) out[i] = convert(first + i);
  };
  const std::string& dtype = array.dtype;
  if (dtype == "|i1" && tensor.signed_view)
    fill([&](uint64_t i) { return stored_from_integer(tensor, element<int8_t>(array, i), name); });
  else if (dtype == "|u1" && !tensor.signed_view)
    fill([&](uint64_t i) { return stored_from_integer(tensor, element<uint8_t>(array, i), name); });
  else if (dtype == "<f4")
    fill([&](uint64_t i) { return stored_from_real(tensor, element<float>(array, i), name); });
  else if (dtype == "<f8")
    fill([&](uint64_t i) { return stored_from_real(tensor, element<double>(array, i), name); });
  else
    throw Error("{}: type {} does not fit input {}, which takes {} or float32/float64", name, dtype,
                tensor.name, tensor.signed_view ? "int8" : "uint8");
  return out;
}

std::vector<uint8_t> seeded_values(const IntTensor& tensor, uint64_t seed) {
  // xorshift64* (Vigna 2016); the constant keeps seed 0 usable.
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 0xD1B54A32D192ED03u;
  std::vector<uint8_t> out(elements(tensor));
  for (auto& value : out) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    value = static_cast<uint8_t>((state * 0x2545F4914F6CDD1Du) >> (64 - tensor.bits));
  }
  return out;
}

int32_t shown_value(const IntTensor& tensor, uint8_t stored) {
  return stored - (tensor.signed_view ? levels(tensor) / 2 : 0);
}

NpyArray shown_array(const IntTensor& tensor, std::span<const std::vector<uint8_t>> samples) {
  NpyArray out;
  out.dtype = tensor.signed_view ? "|i1" : "|u1";
  out.shape = {samples.size()};
  if (tensor.h != 1 || tensor.w != 1) out.shape.insert(out.shape.end(), {tensor.h, tensor.w});
  out.shape.push_back(tensor.c);
  for (const auto& sample : samples)
    for (uint8_t stored : sample) out.bytes.push_back(static_cast<uint8_t>(shown_value(tensor, stored)));
  return out;
}

void store_tensor(const IntTensor& tensor, TensorStrides strides, std::span<const uint8_t> values,
                  std::span<uint8_t> bytes) {
  check(values.size() == elements(tensor), "a tensor is stored whole");
  const uint32_t own_bytes = pixel_bytes(tensor.c, tensor.bits);
  size_t next = 0;
  for (uint32_t y = 0; y < tensor.h; ++y)
    for (uint32_t x = 0; x < tensor.w; ++x) {
      const auto pixel = bytes.subspan(size_t{y} * strides.row_bytes + size_t{x} * strides.pixel_bytes, own_bytes);
      std::fill(pixel.begin(), pixel.end(), uint8_t{0});
      for (uint32_t c = 0; c < tensor.c; ++c) {
        const uint32_t bit = c * tensor.bits;
        pixel[bit / 8] = static_cast<uint8_t>(pixel[bit / 8] | values[next++] << (bit % 8));
      }
    }
}

std::vector<uint8_t> fetch_tensor(const IntTensor& tensor, TensorStrides strides,
                                  std::span<const uint8_t> bytes) {
  const uint32_t own_bytes = pixel_bytes(tensor.c, tensor.bits);
  const uint32_t mask = static_cast<uint32_t>(levels(tensor) - 1);
  std::vector<uint8_t> values;
  values.reserve(elements(tensor));
  for (uint32_t y = 0; y < tensor.h; ++y)
    for (uint32_t x = 0; x < tensor.w; ++x) {
      const auto pixel = bytes.subspan(size_t{y} * strides.row_bytes + size_t{x} * strides.pixel_bytes, own_bytes);
      for (uint32_t c = 0; c < tensor.c; ++c) {
        const uint32_t bit = c * tensor.bits;
        values.push_back(static_cast<uint8_t>(pixel[bit / 8] >> (bit % 8) & mask));
      }
    }
  return values;
}

}  // namespace mcusim
