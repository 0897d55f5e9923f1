// SPDX-License-Identifier: MIT
// `plan --patch auto`: the search for tiles with `mcusim run` as the judge.
#pragma once

#include <cstdint>
#include <string>

#include "quant/patch/patch.h"

namespace mcusim::net_cli {

// Prints the candidates; throws Error when nothing fits or a run fails.
patch::Choice search_patch(const IntNet& net, uint64_t ram_bytes, const std::string& board);

}  // namespace mcusim::net_cli
