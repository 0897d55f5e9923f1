// SPDX-License-Identifier: MIT
// Counts over a Retired stream: instruction mix, accesses by region, memory heat.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "memmap/board.h"
#include "sim/decode/block_table.h"
#include "traces/events.h"

namespace mcusim {

struct RegionAccesses {
  uint64_t reads = 0, writes = 0, read_bytes = 0, written_bytes = 0;
};

class StreamStats : public trace::RetiredSink {
 public:
  // With `layer`, only what runs inside that operator counts.
  StreamStats(const Board& board, std::optional<uint32_t> layer) : board_(board), layer_(layer) {}

  void block_defined(const trace::BlockInfo& info) override;
  void run(const trace::BlockRun& run) override;
  void mark(const trace::Mark& mark) override;
  void control(const trace::Control&) override {}
  void exception(const trace::Exception&) override {}

  std::map<std::string, uint64_t> mnemonics() const;          // executed instructions by mnemonic
  const std::map<std::string, RegionAccesses>& regions() const { return regions_; }
  const std::map<uint32_t, uint64_t>& heat() const { return heat_; }  // accesses by 4 KiB page
  uint64_t block_runs() const { return block_runs_; }

  static constexpr uint32_t kPage_bytes = 4096;

 private:
  const Board& board_;
  const std::optional<uint32_t> layer_;
  std::optional<uint32_t> open_layer_;
  BlockTable blocks_;
  std::vector<std::vector<uint64_t>> counts_;                 // by block and instruction
  std::map<std::string, RegionAccesses> regions_;
  std::map<uint32_t, uint64_t> heat_;
  const Region* last_region_ = nullptr;
  RegionAccesses* last_counts_ = nullptr;
  uint64_t block_runs_ = 0;
};

}  // namespace mcusim
