// SPDX-License-Identifier: MIT
// A search as a picture: the reward of every episode, the best so far, and what to
// compare it with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "quant/search/search.h"

namespace mcusim::search {

// SVG text. `levels`: names and rewards drawn as horizontal lines.
std::string plot(const SearchResult& result, const std::string& title,
                 const std::vector<std::pair<std::string, double>>& levels);

}  // namespace mcusim::search
