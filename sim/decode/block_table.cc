// SPDX-License-Identifier: MIT
// See block_table.h. Bytes are part of the key: rewritten code is another block.
#include "sim/decode/block_table.h"

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim {

const DecodedBlock& BlockTable::add(uint32_t address, std::span<const uint8_t> code,
                                    uint8_t it_state) {
  auto block = std::make_unique<DecodedBlock>(decoder_.decode(address, code, it_state));
  block->id = static_cast<uint32_t>(blocks_.size());
  by_address_.emplace(address, std::pair(std::string(code.begin(), code.end()), block->id));
  blocks_.push_back(std::move(block));
  return *blocks_.back();
}

const DecodedBlock& BlockTable::intern(uint32_t address, std::span<const uint8_t> code,
                                       uint8_t it_state, bool* is_new) {
  const auto [first, last] = by_address_.equal_range(address);
  for (auto it = first; it != last; ++it) {
    const std::string& known = it->second.first;
    const DecodedBlock& block = *blocks_[it->second.second];
    if (block.it_entry == it_state &&
        std::equal(known.begin(), known.end(), code.begin(), code.end(),
                   [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; })) {
      if (is_new) *is_new = false;
      return block;
    }
  }
  if (is_new) *is_new = true;
  return add(address, code, it_state);
}

const DecodedBlock& BlockTable::define(const trace::BlockInfo& info) {
  if (info.id != blocks_.size())
    throw Error("stream: block {} defined where {} was due", info.id, blocks_.size());
  return add(info.address, info.code, info.it_state);
}

const DecodedBlock& BlockTable::at(uint32_t id) const {
  if (id >= blocks_.size()) throw Error("stream: block {} was never defined", id);
  return *blocks_[id];
}

}  // namespace mcusim
