// SPDX-License-Identifier: MIT
#include "traces/call_profile.h"

namespace mcusim::trace {

std::vector<uint64_t> inclusive_cycles(const CallProfile& profile) {
  std::vector<uint64_t> out(profile.nodes.size());
  for (size_t i = profile.nodes.size(); i-- > 0;) {
    out[i] += profile.nodes[i].self_cycles;
    if (i > 0) out[profile.nodes[i].parent] += out[i];
  }
  return out;
}

std::span<const ProfileExporter> profile_exporters() {
  static constexpr ProfileExporter kExporters[] = {
      {"folded", "one line per call stack with its cycles (flamegraph.pl, speedscope)", write_folded},
      {"callgrind", "for callgrind_annotate and KCachegrind", write_callgrind},
  };
  return kExporters;
}

}  // namespace mcusim::trace
