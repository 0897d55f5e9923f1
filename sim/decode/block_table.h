// SPDX-License-Identifier: MIT
// The decoded blocks of a run, by id. Live runs ask by address and bytes and get an
// id; replay defines ids as recorded. References stay valid for the table's life.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/decode/decoder.h"
#include "traces/events.h"

namespace mcusim {

class BlockTable {
 public:
  // The block of these bytes at this address, entered with this ITSTATE; decoded at
  // first sight (*is_new).
  const DecodedBlock& intern(uint32_t address, std::span<const uint8_t> code,
                             uint8_t it_state = 0, bool* is_new = nullptr);
  // A definition from a stream: ids are dense and come in order.
  const DecodedBlock& define(const trace::BlockInfo& info);
  const DecodedBlock& at(uint32_t id) const;
  size_t size() const { return blocks_.size(); }

 private:
  const DecodedBlock& add(uint32_t address, std::span<const uint8_t> code, uint8_t it_state);

  Decoder decoder_;
  std::vector<std::unique_ptr<DecodedBlock>> blocks_;
  std::unordered_multimap<uint32_t, std::pair<std::string, uint32_t>> by_address_;
};

}  // namespace mcusim
