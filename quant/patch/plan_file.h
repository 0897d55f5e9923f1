// SPDX-License-Identifier: MIT
// A patch plan: the stage, its tiles, and formats of single feature maps, as JSON to
// be edited or made elsewhere:
//   {"patch": "4x4@5", "formats": [{"id": 31, "tensor": "B2.dw@0,1", "bits": 4,
//    "step": 11.5, "zero_point": 0}, ...]}
// Ids and names are those of the network in patches; maps not named stay as they are.
#pragma once

#include <string>
#include <vector>

#include "quant/patch/narrow.h"
#include "quant/patch/patch.h"

namespace mcusim::patch {

struct NamedFormat {
  int id = -1;
  std::string tensor;
  Format format;
};

struct Plan {
  Choice choice;
  std::vector<NamedFormat> formats;
};

// `text`: ROWSxCOLUMNS@BLOCKS, or the name of a .json file. Throws Error.
Plan load_plan(const std::string& text);
Plan parse_plan(const std::string& json_text, const std::string& name);

// The formats that differ from the network as it is.
std::vector<NamedFormat> changes(const IntNet& net, const std::vector<Format>& formats);

// `net` in patches, with the plan's formats; not placed. Throws Error for ids, names or
// widths that the network cannot have.
IntNet apply(const IntNet& net, const Plan& plan);

}  // namespace mcusim::patch
