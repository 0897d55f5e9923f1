// SPDX-License-Identifier: MIT
// A retired stream without a machine: straight-line code with fixed registers, cut into
// blocks at branches. Data addresses follow from a fixed value per base register, so a
// timing test states exactly which bank and region it touches.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "sim/decode/block_table.h"
#include "sim/timing/core_estimator.h"
#include "traces/events.h"

namespace mcusim::testing {

// Base registers: r8 DTCM even word, r9 DTCM odd word, r10 DTCM + 1 (unaligned, even
// bank), r11 AXI SRAM, r12 DTCM further up, sp DTCM. Index registers count as 0.
inline uint32_t base_value(int reg) {
  switch (reg) {
    case 8: return 0x20000400;
    case 9: return 0x20000504;
    case 10: return 0x20000601;
    case 11: return 0x24000000;
    case 12: return 0x20000800;
    case 13: return 0x20008000;
    default: return 0x20000400;
  }
}

// Signed displacement as disassembled, 0 when there is none.
inline int32_t displacement(const std::string& text) {
  const size_t bracket = text.find('['), hash = text.find('#', bracket == text.npos ? 0 : bracket);
  const size_t close = text.find(']');
  if (bracket == text.npos || hash == text.npos || close < hash) return 0;
  return static_cast<int32_t>(std::strtol(text.c_str() + hash + 1, nullptr, 0));
}

inline std::vector<trace::Access> synthetic_accesses(const Instruction& i, uint16_t index) {
  std::vector<trace::Access> out;
  if (i.memory_words == 0) return out;
  const RegisterSet base = i.address_reads & ~i.index_reads;
  int reg = 8;
  for (int r = 0; r < 16; ++r)
    if (base >> r & 1) reg = r;
  uint32_t address = base_value(reg) + static_cast<uint32_t>(displacement(i.text));
  if (i.mnemonic == "push" || i.mnemonic == "stmdb") address -= 4u * i.memory_words;
  for (int w = 0; w < i.memory_words; ++w)
    out.push_back(
        {address + static_cast<uint32_t>(w) * i.access_bytes, i.access_bytes, i.is_store, index});
  return out;
}

// The stream of one pass over `code`, as often as wanted.
struct Synthetic {
  std::vector<trace::BlockInfo> infos;
  std::vector<DecodedBlock> blocks;
  std::vector<std::vector<trace::Access>> accesses;

  Synthetic(uint32_t address, std::span<const uint8_t> code, bool single = false,
            uint32_t first_id = 0) {
    const Decoder decoder;
    const DecodedBlock all = decoder.decode(address, code);
    size_t first = 0;
    uint8_t it = 0;
    for (size_t i = 0; i < all.instructions.size(); ++i) {
      const bool last = i + 1 == all.instructions.size();
      const Instruction& instruction = all.instructions[i];
      if (!(instruction.is_branch || last || single)) continue;
      const uint32_t begin = all.instructions[first].address - address;
      const uint32_t end = instruction.address + instruction.bytes - address;
      trace::BlockInfo info{first_id + static_cast<uint32_t>(infos.size()), address + begin, it,
                            {code.begin() + begin, code.begin() + end}};
      blocks.push_back(decoder.decode(info.address, info.code, it));
      blocks.back().id = info.id;
      it = blocks.back().it_exit;
      std::vector<trace::Access> list;
      for (size_t k = 0; k < blocks.back().instructions.size(); ++k)
        for (const auto& access :
             synthetic_accesses(blocks.back().instructions[k], static_cast<uint16_t>(k)))
          list.push_back(access);
      accesses.push_back(list);
      infos.push_back(info);
      first = i + 1;
    }
  }

  void define(trace::RetiredSink& sink) const {
    for (const auto& info : infos) sink.block_defined(info);
  }
  void pass(trace::RetiredSink& sink) const {
    for (size_t b = 0; b < infos.size(); ++b)
      sink.run({infos[b].id, static_cast<uint32_t>(blocks[b].instructions.size()), accesses[b], 0});
  }
};

}  // namespace mcusim::testing
