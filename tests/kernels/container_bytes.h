// SPDX-License-Identifier: MIT
// Containers as bytes for the tests that damage them.
#pragma once

#include <gmock/gmock.h>

#include <cstring>

#include "kernels/executor.h"
#include "kernels/host/container.h"
#include "memmap/base/error.h"
#include "tests/support/run_both.h"

namespace mcusim::testing {

using Bytes = std::vector<uint8_t>;

// One operator of every family and contract, odd widths mixed, in one network.
inline IntNet one_of_each(uint64_t seed) {
  Random random(seed);
  IntNet all;
  all.name = "one of each";
  const RowKey keys[] = {
      {net::Family::conv, 8, 4, 4, net::Contract::icn_floor},
      {net::Family::conv, 4, 2, 2, net::Contract::thresholds},
      {net::Family::pointwise, 8, 8, 8, net::Contract::tflite},
      {net::Family::depthwise, 2, 8, 4, net::Contract::icn_floor},
      {net::Family::fully_connected, 4, 4, 8, net::Contract::icn_floor},
      {net::Family::avg_pool, 8, 0, 8, net::Contract::tflite},
      {net::Family::avg_pool, 4, 0, 2, net::Contract::icn_floor},
      {net::Family::max_pool, 4, 0, 4, net::Contract::none},
      {net::Family::add, 4, 0, 8, net::Contract::icn_floor},
      {net::Family::pad, 2, 0, 2, net::Contract::none},
      {net::Family::reshape, 8, 0, 8, net::Contract::none},
  };
  for (const RowKey& key : keys) append(all, random_op(key, random, {.small = true}));
  return all;
}

inline void seal(Bytes& file) {
  const uint32_t crc = container_crc(file);
  std::memcpy(file.data() + offsetof(net::Header, crc32), &crc, sizeof crc);
}

// The sentence of the refusal; empty when the file is accepted.
inline std::string refusal(const Bytes& file) {
  try {
    validate(file.data(), file.size());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline const net::Header& header(const Bytes& file) { return header_of(file.data()); }

}  // namespace mcusim::testing
