// SPDX-License-Identifier: MIT
#include "memmap/base/dataset.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

struct IdxType {
  uint8_t code;
  const char* dtype;
  uint8_t item_bytes;
};
constexpr IdxType kIdxTypes[] = {{0x08, "|u1", 1}, {0x09, "|i1", 1}, {0x0B, "<i2", 2},
                                 {0x0C, "<i4", 4}, {0x0D, "<f4", 4}, {0x0E, "<f8", 8}};

const IdxType* idx_type(std::span<const uint8_t> bytes) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0) return nullptr;
  for (const auto& type : kIdxTypes)
    if (type.code == bytes[2]) return &type;
  return nullptr;
}

// Records of labels, then 3 planes of 32 x 32.
struct CifarArray {
  const char* name;
  size_t label_bytes;
  size_t offset;
  bool image;
};
constexpr size_t kPixels = 3 * 32 * 32;
constexpr CifarArray kCifarArrays[] = {{"cifar10.x", 1, 1, true},
                                       {"cifar10.y", 1, 0, false},
                                       {"cifar100.x", 2, 2, true},
                                       {"cifar100.coarse", 2, 0, false},
                                       {"cifar100.fine", 2, 1, false}};

const CifarArray* cifar_array(const std::string& name) {
  for (const auto& array : kCifarArrays)
    if (name == array.name) return &array;
  return nullptr;
}

}  // namespace

bool is_idx(std::span<const uint8_t> bytes) { return idx_type(bytes) != nullptr; }

NpyArray parse_idx(std::span<const uint8_t> bytes, const std::string& name) {
  const IdxType* type = idx_type(bytes);
  check(type != nullptr, "an IDX file");
  const size_t dimensions = bytes[3], header = 4 + 4 * dimensions;
  if (bytes.size() < header) throw Error("{}: IDX header of {} dimensions in {} bytes", name, dimensions, bytes.size());
  NpyArray array;
  array.dtype = type->dtype;
  uint64_t wanted = type->item_bytes;
  for (size_t d = 0; d < dimensions; ++d) {
    uint64_t extent = 0;
    for (size_t i = 0; i < 4; ++i) extent = extent << 8 | bytes[4 + 4 * d + i];
    array.shape.push_back(extent);
    // Never more than the file holds, so the product cannot overflow.
    if (extent != 0 && wanted > bytes.size() / extent)
      throw Error("{}: IDX header asks for more than the file's {} bytes", name, bytes.size());
    wanted *= extent;
  }
  if (wanted != bytes.size() - header)
    throw Error("{}: IDX header asks for {} bytes of values, the file holds {}", name, wanted,
                bytes.size() - header);
  array.bytes.assign(bytes.begin() + static_cast<long>(header), bytes.end());
  for (size_t at = 0; at < array.bytes.size(); at += type->item_bytes)
    std::reverse(array.bytes.begin() + static_cast<long>(at),
                 array.bytes.begin() + static_cast<long>(at + type->item_bytes));
  return array;
}

bool is_cifar_array(const std::string& array) { return cifar_array(array) != nullptr; }

NpyArray parse_cifar(std::span<const uint8_t> bytes, const std::string& array_name,
                     const std::string& name) {
  const CifarArray* from = cifar_array(array_name);
  check(from != nullptr, "an array of CIFAR");
  const size_t record = from->label_bytes + kPixels, count = from->image ? kPixels : 1;
  if (bytes.empty() || bytes.size() % record != 0)
    throw Error("{}: {} bytes are not whole records of {} for {}", name, bytes.size(), record, array_name);
  NpyArray array;
  array.dtype = "|u1";
  array.shape = {bytes.size() / record};
  if (from->image) array.shape.insert(array.shape.end(), {3, 32, 32});
  for (size_t at = from->offset; at < bytes.size(); at += record)
    array.bytes.insert(array.bytes.end(), bytes.begin() + static_cast<long>(at),
                       bytes.begin() + static_cast<long>(at + count));
  return array;
}

}  // namespace mcusim
