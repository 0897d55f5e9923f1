// SPDX-License-Identifier: MIT
// Chrome trace-event JSON for Perfetto, streamed to a file of bounded size.
//
// One cycle is one nanosecond: `ts` is in microseconds by the format's definition,
// so a cycle count is written with three decimals and Perfetto's raw times read as
// cycles. Slices are complete ("X") events, written when they close. When the file
// nears its bound, the shortest slices are left out from there on: the least kept
// length doubles, and the last event says how many were dropped. Outermost slices still
// cover the run: short ones that adjoin become one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memmap/base/file.h"

namespace mcusim::trace {

enum class Track : uint8_t { layers = 1, functions = 2 };

class ChromeTrace {
 public:
  ChromeTrace(const std::string& path, const std::string& program, uint64_t max_bytes = 48u << 20);

  void enter(Track track, const std::string& name, uint64_t cycle);
  void leave(Track track, uint64_t cycle);
  void counter(const std::string& name, uint64_t cycle, double value);
  // Closes what is open and puts the file in place.
  void finish(uint64_t cycle);
  uint64_t dropped() const { return dropped_; }

 private:
  struct Open {
    std::string name;
    uint64_t cycle;
  };
  void event(const std::string& json);
  void write(Track track, const std::string& name, uint64_t start, uint64_t end);
  // Outermost function slices that are left out, as one slice while they adjoin.
  void merge(uint64_t start, uint64_t end);
  void end_merge();
  std::vector<Open>& stack(Track track) { return stacks_[static_cast<size_t>(track)]; }

  FileWriter file_;
  const uint64_t max_bytes_;
  std::vector<Open> stacks_[3];
  uint64_t min_slice_cycles_ = 1, dropped_ = 0;
  uint64_t merged_start_ = 0, merged_end_ = 0;
  bool first_ = true;
};

}  // namespace mcusim::trace
