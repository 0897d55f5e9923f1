// SPDX-License-Identifier: MIT
#include "quant/cli/plan_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "quant/plan/bits_file.h"

namespace mcusim::net_cli {

void PlanOptions::add_limits(CLI::App& command) {
  auto* flash = command.add_option("--flash", flash_bytes, "Flash, bytes")
                    ->check(CLI::PositiveNumber);
  auto* ram = command.add_option("--ram", ram_bytes, "RAM for activations, bytes")
                  ->check(CLI::PositiveNumber);
  command.add_option("--min-activation-bits", min_activation_bits, "Least activation width")
      ->check(CLI::IsMember({2, 4, 8}))
      ->capture_default_str();
  command.add_option("--min-weight-bits", min_weight_bits, "Least weight width")
      ->check(CLI::IsMember({2, 4, 8}))
      ->capture_default_str();
  command.add_option("--bits", bits_path, "A bit plan (JSON, as `plan -o` writes)")
      ->excludes(flash)
      ->excludes(ram);
}

void PlanOptions::add_mode(CLI::App& command) {
  command.add_option("--mode", mode, "pl (folded, integer-normalised where below 8 bits) or pc")
      ->check(CLI::IsMember({"pl", "pc"}))
      ->capture_default_str();
}

void PlanOptions::add_search(CLI::App& command, const char* flag, bool tries) {
  std::string help = "rule (the papers' algorithms) or exact (least measured loss)";
  std::vector<std::string> known = {"rule", "exact"};
  if (tries) {
    help += ", rl (reinforcement learning) or random";
    known.insert(known.end(), {"rl", "random"});
  }
  command.add_option(flag, search, help)->check(CLI::IsMember(known))->capture_default_str();
}

void PlanOptions::add_count(CLI::App& command) {
  command.add_option("--count", count,
                     "What must fit: image (linked image and placed arena) or paper (the papers' "
                     "count of weights, parameters, input and output)")
      ->check(CLI::IsMember({"image", "paper"}))
      ->capture_default_str();
  command.add_option("-b,--board", board, "Board whose image is linked to count its program")
      ->capture_default_str();
}

plan::Mode PlanOptions::plan_mode() const { return mode == "pl" ? plan::Mode::pl : plan::Mode::pc; }

plan::Limits PlanOptions::limits() const {
  constexpr uint64_t kAny = std::numeric_limits<uint64_t>::max();
  return {flash_bytes ? flash_bytes : kAny, ram_bytes ? ram_bytes : kAny,
          static_cast<uint8_t>(min_activation_bits), static_cast<uint8_t>(min_weight_bits)};
}

plan::Widths PlanOptions::choose(const plan::Problem& problem, const plan::Costs* costs) const {
  if (!bits_path.empty()) return plan::parse_bits(problem, read_text_file(bits_path), bits_path);
  const auto plan = costs ? plan::exact_search(problem, limits(), plan_mode(), *costs)
                          : plan::rule_search(problem, limits(), plan_mode());
  if (plan.shortfall) throw Error("{}", plan::explain(problem, plan));
  return plan.widths;
}

void print_plan(const plan::Problem& problem, const plan::Widths& widths, plan::Mode mode,
                uint64_t ram_bytes) {
  const auto before = plan::all_at(problem, 8, 8);
  uint64_t scale = std::max(plan::peak_activation_bytes(problem, before), ram_bytes);
  constexpr uint64_t kBar = 40;
  fmt::print("{:<24} {:>2} {:>2} {:>2} {:>10} {:>10}  {}\n", "layer", "x", "w", "y", "weights B",
             "RAM B", "RAM: # after, - before, | limit");
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    const auto& layer = problem.layers[i];
    std::string bar(kBar + 1, ' ');
    const auto column = [&](uint64_t bytes) { return (bytes * kBar + scale - 1) / scale; };
    const uint64_t ram = plan::activation_bytes(problem, widths, i);
    std::fill_n(bar.begin(), column(plan::activation_bytes(problem, before, i)), '-');
    std::fill_n(bar.begin(), column(ram), '#');
    if (ram_bytes > 0) bar[column(ram_bytes)] = '|';
    fmt::print("{:<24} {:>2} {:>2} {:>2} {:>10} {:>10}  {}\n", layer.name,
               widths.tensor_bits[layer.inputs[0]],
               layer.weights ? std::to_string(widths.weight_bits[i]) : "-",
               widths.tensor_bits[layer.output], plan::weight_bytes(problem, widths, i), ram, bar);
  }
  const char* label = mode == plan::Mode::pl ? "pl" : "pc";
  fmt::print("paper_bytes ({}): flash {} (8 bits: {}), RAM peak {} (8 bits: {})\n", label,
             plan::paper_bytes(problem, widths, mode), plan::paper_bytes(problem, before, mode),
             plan::peak_activation_bytes(problem, widths),
             plan::peak_activation_bytes(problem, before));
}

}  // namespace mcusim::net_cli
