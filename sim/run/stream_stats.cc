// SPDX-License-Identifier: MIT
#include "sim/run/stream_stats.h"

#include <algorithm>

namespace mcusim {

void StreamStats::block_defined(const trace::BlockInfo& info) {
  counts_.emplace_back(blocks_.define(info).instructions.size());
}

void StreamStats::run(const trace::BlockRun& run) {
  if (layer_ && open_layer_ != layer_) return;
  ++block_runs_;
  auto& counts = counts_[run.block];
  const size_t retired = std::min<size_t>(run.instructions, counts.size());
  for (size_t i = 0; i < retired; ++i) ++counts[i];
  for (const auto& access : run.accesses) {
    if (!last_region_ || !last_region_->contains(access.address)) {
      last_region_ = board_.find(access.address);
      last_counts_ = &regions_[last_region_ ? last_region_->name : "unmapped"];
    }
    (access.is_write ? last_counts_->writes : last_counts_->reads) += 1;
    (access.is_write ? last_counts_->written_bytes : last_counts_->read_bytes) += access.bytes;
    ++heat_[access.address / kPage_bytes * kPage_bytes];
  }
}

void StreamStats::mark(const trace::Mark& mark) {
  if (mark.port == trace::kLayerBegin) open_layer_ = mark.value;
  if (mark.port == trace::kLayerEnd) open_layer_.reset();
}

std::map<std::string, uint64_t> StreamStats::mnemonics() const {
  std::map<std::string, uint64_t> out;
  for (uint32_t block = 0; block < counts_.size(); ++block)
    for (size_t i = 0; i < counts_[block].size(); ++i)
      if (counts_[block][i]) out[blocks_.at(block).instructions[i].mnemonic] += counts_[block][i];
  return out;
}

}  // namespace mcusim
