// SPDX-License-Identifier: MIT
// What a trace holds, counted: plain data for `mcusim inspect`. Lists are complete and
// the largest come first; whoever shows them cuts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/run/recording.h"
#include "sim/run/stream_stats.h"
#include "traces/trace_file.h"

namespace mcusim {

struct InspectRequest {
  std::string layer, symbol;         // count only inside this layer, only this function's own code
  std::string region;                // list only memory of this region
};

struct Inspection {
  struct Block {
    uint32_t address = 0, instructions = 0;      // of its code
    uint64_t runs = 0, cycles = 0;
    std::string function;
  };
  struct Address {
    uint32_t address = 0;
    uint64_t executed = 0, cycles = 0;
    std::string function, text;
  };
  struct Page {
    uint32_t address = 0;
    uint64_t accesses = 0;
    std::string region;
  };
  report::Run report;                // of the whole trace
  Recording recording;
  RecordingEnd end;
  uint64_t instructions = 0, cycles = 0, block_runs = 0;   // of what is counted
  std::vector<report::Function> functions;
  std::vector<Block> blocks;
  std::vector<Address> addresses;
  std::vector<std::pair<std::string, uint64_t>> mnemonics;
  std::map<std::string, RegionAccesses> regions;
  std::vector<Page> pages;
};

// Replays the trace. Throws Error for damage and for names that it does not have.
Inspection inspect(const trace::TraceReader& reader, const std::string& name, const InspectRequest& request);

}  // namespace mcusim
