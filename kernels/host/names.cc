// SPDX-License-Identifier: MIT
// The table of operator kinds and the words of the format's enumerations. Names
// are those of net.json, of kernel symbols and of reports.
#include "kernels/host/names.h"

namespace mcusim {
namespace {

using net::Contract;
using net::OpKind;

constexpr uint8_t kPlain = contract_bit(Contract::none);
constexpr uint8_t kScaled = contract_bit(Contract::icn_floor) | contract_bit(Contract::tflite);
constexpr uint8_t kWeighted = kScaled | contract_bit(Contract::thresholds);

constexpr KindRow kKinds[] = {
    // kind                   name               weights window binary contracts
    {OpKind::conv2d,          "conv2d",          true,   true,  false, kWeighted},
    {OpKind::depthwise,       "depthwise",       true,   true,  false, kWeighted},
    {OpKind::fully_connected, "fully_connected", true,   false, false, kWeighted},
    {OpKind::avg_pool,        "avg_pool",        false,  true,  false, kScaled},
    {OpKind::max_pool,        "max_pool",        false,  true,  false, kPlain},
    {OpKind::add,             "add",             false,  false, true,  kScaled},
    {OpKind::pad,             "pad",             false,  false, false, kPlain},
    {OpKind::reshape,         "reshape",         false,  false, false, kPlain},
};

constexpr const char* kFamilies[] = {"unknown",  "conv",     "pointwise", "depthwise", "fully_connected",
                                     "avg_pool", "max_pool", "add",       "pad",       "reshape"};
constexpr const char* kContracts[] = {"none", "icn", "thr", "tflite"};

}  // namespace

std::span<const KindRow> kind_table() { return kKinds; }

const KindRow* find_kind(OpKind kind) {
  for (const KindRow& row : kKinds)
    if (row.kind == kind) return &row;
  return nullptr;
}

std::string_view kind_name(OpKind kind) {
  const KindRow* row = find_kind(kind);
  return row ? row->name : "unknown";
}

std::string_view family_name(net::Family family) {
  const auto index = static_cast<size_t>(family);
  return index < std::size(kFamilies) ? kFamilies[index] : "unknown";
}

std::string_view contract_name(Contract contract) {
  const auto index = static_cast<size_t>(contract);
  return index < std::size(kContracts) ? kContracts[index] : "unknown";
}

}  // namespace mcusim
