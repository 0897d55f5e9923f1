// SPDX-License-Identifier: MIT
// Words for the enumerations of net_format.h, and the facts that follow from an
// operator's kind alone. One table row per kind: a new operator is a new row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/net_format.h"

namespace mcusim {

struct KindRow {
  net::OpKind kind;
  const char* name;
  bool has_weights;       // weights, bias and a requantisation per channel
  bool is_windowed;       // slides kernel_h x kernel_w over the input
  bool is_binary;         // takes in1
  uint8_t contracts;      // bit per net::Contract
};

std::span<const KindRow> kind_table();
const KindRow* find_kind(net::OpKind kind);             // nullptr when unknown
constexpr uint8_t contract_bit(net::Contract contract) {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(contract));
}

// "unknown" for values outside the enumeration.
std::string_view kind_name(net::OpKind kind);
std::string_view family_name(net::Family family);
std::string_view contract_name(net::Contract contract);

}  // namespace mcusim
