// SPDX-License-Identifier: MIT
// A plan that fits for real: the searches count the papers' bytes, here the network
// is packed, placed and linked, and what is too large is planned again.
#pragma once

#include <functional>

#include "kernels/host/int_net.h"
#include "quant/cli/image_size.h"
#include "quant/cli/plan_options.h"

namespace mcusim::net_cli {

struct Fitted {
  plan::Widths widths;
  IntNet net;                 // placed
  std::vector<uint8_t> file;  // its container
  ImageSize size;
  // Of the first plan, when it did not fit and a later one does.
  uint64_t first_image_bytes = 0, first_arena_bytes = 0;
};

// `make` gives the network of a plan, not placed; `costs` as PlanOptions::choose takes
// them. With `--count image` container, image and arena must keep the limits: the
// excess is taken off the search's limit until they do. Throws Error with both numbers
// when no narrower plan is left.
Fitted fit(const PlanOptions& options, const plan::Problem& problem, const plan::Costs* costs,
           const std::function<IntNet(const plan::Widths&)>& make);

// The network of a given plan with its real sizes, whatever the limits say.
Fitted measured(const PlanOptions& options, const plan::Widths& widths,
                const std::function<IntNet(const plan::Widths&)>& make);

// The lines about real bytes that `plan` and `quantize` end with.
void print_fit(const PlanOptions& options, const Fitted& fitted);

}  // namespace mcusim::net_cli
