// SPDX-License-Identifier: MIT
#include "quant/cli/fit.h"

#include <fmt/format.h>

#include "memmap/base/error.h"
#include "quant/pack/place.h"

namespace mcusim::net_cli {
namespace {

uint64_t excess(uint64_t bytes, uint64_t limit) { return limit && bytes > limit ? bytes - limit : 0; }

// The search's limit after `over` bytes too many, or 0 when nothing is left to take.
uint64_t lowered(uint64_t counted, uint64_t over) { return over < counted ? counted - over : 0; }

}  // namespace

Fitted measured(const PlanOptions& options, const plan::Widths& widths,
                const std::function<IntNet(const plan::Widths&)>& make) {
  Fitted fitted;
  fitted.widths = widths;
  fitted.net = make(widths);
  place_tensors(fitted.net);
  fitted.file = encode(fitted.net);
  fitted.size = image_size(fitted.file, options.board);
  return fitted;
}

Fitted fit(const PlanOptions& options, const plan::Problem& problem, const plan::Costs* costs,
           const std::function<IntNet(const plan::Widths&)>& make) {
  PlanOptions limits = options;
  uint64_t first_image_bytes = 0, first_arena_bytes = 0;
  std::string too_large;  // what the limits are lowered for
  for (;;) {
    plan::Widths widths;
    try {
      widths = limits.choose(problem, costs);
    } catch (const Error&) {
      if (too_large.empty()) throw;
      throw Error("{}: {}; no narrower plan makes up for it", problem.name, too_large);
    }
    Fitted fitted = measured(options, widths, make);
    fitted.first_image_bytes = first_image_bytes;
    fitted.first_arena_bytes = first_arena_bytes;
    if (options.count == "paper" || !options.bits_path.empty()) return fitted;
    const uint64_t flash = std::max<uint64_t>(fitted.size.image_bytes, fitted.file.size());
    const uint64_t flash_over = excess(flash, options.flash_bytes);
    const uint64_t ram_over = excess(fitted.net.arena_bytes, options.ram_bytes);
    if (flash_over == 0 && ram_over == 0) return fitted;
    if (first_image_bytes == 0) {
      first_image_bytes = flash;
      first_arena_bytes = fitted.net.arena_bytes;
    }
    uint64_t left = 1;
    if (flash_over > 0) {
      too_large = fmt::format("flash: the {} takes {} B, {} B available",
                              flash > fitted.file.size() ? "image" : "container", flash,
                              options.flash_bytes);
      left = limits.flash_bytes =
          lowered(plan::paper_bytes(problem, fitted.widths, limits.plan_mode()), flash_over);
    } else {
      too_large = fmt::format("RAM: the arena takes {} B, {} B available", fitted.net.arena_bytes,
                              options.ram_bytes);
      left = limits.ram_bytes =
          lowered(plan::peak_activation_bytes(problem, fitted.widths), ram_over);
    }
    if (left == 0) throw Error("{}: {}", problem.name, too_large);
  }
}

void print_fit(const PlanOptions& options, const Fitted& fitted) {
  const auto limit = [](uint64_t bytes) { return bytes ? fmt::format(" of {}", bytes) : ""; };
  const ImageSize& size = fitted.size;
  if (size.image_bytes > 0)
    fmt::print("image_bytes ({}): flash {}{} = container {} + program {}\n", options.board,
               size.image_bytes, limit(options.flash_bytes), size.container_bytes,
               size.image_bytes - size.container_bytes);
  else
    fmt::print("container_bytes: flash {}{}; image_bytes not known: {}\n", size.container_bytes,
               limit(options.flash_bytes), size.unknown);
  fmt::print("arena_bytes: RAM {}{}\n", fitted.net.arena_bytes, limit(options.ram_bytes));
  if (fitted.first_image_bytes > 0)
    fmt::print("planned again: by the papers' count alone flash came to {} B and the arena to {} B\n",
               fitted.first_image_bytes, fitted.first_arena_bytes);
}

}  // namespace mcusim::net_cli
