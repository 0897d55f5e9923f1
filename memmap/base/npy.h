// SPDX-License-Identifier: MIT
// NumPy .npy (format 1 to 3) and .npz (zip, stored or deflated) arrays.
// Little-endian, C order, dtypes i1 u1 i2 u2 i4 i8 f4 f8; everything else is an
// Error that names the file, the array and what was found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim {

struct NpyArray {
  std::string dtype;              // "|i1", "<f4", ... as in the header
  std::vector<uint64_t> shape;
  std::vector<uint8_t> bytes;     // C order

  uint64_t elements() const;
  uint32_t item_bytes() const;
  std::vector<double> as_doubles() const;
  std::vector<int64_t> as_integers() const;  // throws Error for floats
};

NpyArray parse_npy(std::span<const uint8_t> bytes, const std::string& name);
std::vector<uint8_t> format_npy(const NpyArray& array);

// FILE[:array][first:last], as the user writes it: `x.npz:x[0:100]`, `x.npy[3:4]`.
// A .npz with one array needs no name. The range selects along the first axis.
struct ArraySelector {
  std::string path, array;
  bool has_range = false;
  uint64_t first = 0, last = 0;   // last is one past the end
};
ArraySelector parse_selector(const std::string& text);
NpyArray load_array(const ArraySelector& selector);

}  // namespace mcusim
