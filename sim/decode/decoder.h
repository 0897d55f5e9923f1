// SPDX-License-Identifier: MIT
// Bytes of Thumb code to DecodedBlock, with Capstone. An unknown instruction is an
// Error that names bytes and address (law 5); register roles come from forms.h.
//
// IT state is carried in and out, so a block that starts inside an IT block (the
// engine cuts at 1 KiB edges) decodes with the right conditions and flag writes.
#pragma once

#include <cstdint>
#include <span>

#include "sim/decode/instruction.h"

namespace mcusim {

class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // `it_entry`: ITSTATE[7:0] before the first instruction.
  DecodedBlock decode(uint32_t address, std::span<const uint8_t> code, uint8_t it_entry = 0) const;

 private:
  size_t handle_ = 0;
};

}  // namespace mcusim
