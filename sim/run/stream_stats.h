// SPDX-License-Identifier: MIT
// What a part of a run did to memory and where its cycles went: accesses and cache
// misses by region, accesses by 4 KiB page, and a profile of that part alone.
//
// Sees the Timed stream and, through the estimator, what misses. Line fills of a run
// come before the run itself is delivered. What it counted by code refers to decoded
// blocks of the estimator and may be asked for while that lives.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "memmap/board.h"
#include "sim/run/profile.h"
#include "sim/timing/estimator.h"

namespace mcusim {

struct RegionAccesses {
  uint64_t reads = 0, writes = 0, read_bytes = 0, written_bytes = 0;
  uint64_t uncached = 0;            // of these, past the data cache: policy, or cache off
  uint64_t data_fills = 0;          // data cache misses that fetched a line
  uint64_t instructions = 0;        // executed from here
  uint64_t instruction_fills = 0;   // instruction cache misses

  uint64_t cached() const { return reads + writes - uncached; }
};

// What counts; nothing set: everything.
struct StatsFilter {
  std::optional<uint32_t> layer;                       // operator index
  std::function<bool(uint32_t address)> code;          // blocks that begin there
};

class StreamStats : public TimedSink, public MemoryObserver {
 public:
  StreamStats(const Board& board, const StatsFilter& filter);

  void timed(const TimedRun& run) override;
  void mark(const trace::Mark& mark, uint64_t cycle) override;
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override;
  void slept(uint64_t start_cycle, uint64_t cycles) override;
  void window_start(const trace::WindowStart& start) override;
  void missed(Miss miss, uint32_t address) override { missed_.emplace_back(miss, address); }

  const Profile& profile() const { return profile_; }
  std::map<std::string, RegionAccesses> regions() const;      // those that were used
  std::map<uint32_t, uint64_t> heat() const;                  // accesses by page, 0 left out
  std::map<std::string, uint64_t> mnemonics() const;          // executed instructions by mnemonic

  static constexpr uint32_t kPage_bytes = 4096;

 private:
  bool counts(const DecodedBlock& block);
  bool open() const { return !filter_.layer || open_layer_ == filter_.layer; }
  RegionAccesses& region_of(uint32_t address);

  const Board& board_;
  const StatsFilter filter_;
  std::optional<uint32_t> open_layer_;
  enum class Counted : uint8_t { unknown, no, yes };
  std::vector<Counted> counted_;             // by block id, what the code filter says
  Profile profile_;
  std::vector<RegionAccesses> regions_;      // as in the board, unmapped last
  std::vector<uint64_t> heat_;               // by page number
  std::vector<std::pair<Miss, uint32_t>> missed_;   // by the run that comes next
  const Region* last_region_ = nullptr;
  RegionAccesses* last_counts_ = nullptr;
};

}  // namespace mcusim
