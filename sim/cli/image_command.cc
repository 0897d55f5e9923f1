// SPDX-License-Identifier: MIT
// `mcusim image`: a container becomes the ELF that would be flashed.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/command.h"
#include "sim/image/image.h"

namespace mcusim::cli {
namespace {

struct Arguments {
  std::string net, board = "stm32h743", place, input, out, json;
  uint64_t clock_mhz = 0, flash = 0, ram = 0, seed = 0;
  bool dump = false, cycles = false, caches = true;
};

// The packed pixels of the network's one input.
std::vector<uint8_t> input_blob(const Arguments& arguments, const std::vector<uint8_t>& container) {
  if (arguments.input.empty() && arguments.seed == 0) return {};
  const IntNet net = decode(container.data(), container.size());
  if (net.inputs.size() != 1)
    throw Error("{}: has {} inputs; an image takes the input of a network with one", arguments.net,
                net.inputs.size());
  const IntTensor& tensor = net.tensors[static_cast<size_t>(net.inputs[0])];
  const auto values =
      arguments.input.empty()
          ? seeded_values(tensor, arguments.seed)
          : stored_values(tensor, load_array(parse_selector(arguments.input)), 0, arguments.input);
  const uint32_t pixel = pixel_bytes(tensor.c, tensor.bits);
  std::vector<uint8_t> blob(storage_bytes(tensor));
  store_tensor(tensor, {tensor.w * pixel, pixel}, values, blob);
  return blob;
}

void print_text(const ImageFacts& facts, const std::string& out) {
  fmt::print("{}: {}, {} MHz, {} kernel rows\n", out, facts.board, facts.core_hz / 1e6,
             facts.rows.size());
  fmt::print("  {:<10} image   {:>9} B of {} (container {}, code {})\n", facts.code_region,
             facts.image_bytes, facts.flash_limit_bytes, facts.container_bytes, facts.code_bytes);
  fmt::print("  {:<10} arena   {:>9} B of {} at 0x{:08x}\n", facts.arena_region, facts.arena_bytes,
             facts.arena_limit_bytes, facts.arena_base);
  fmt::print("  {:<10} scratch {:>9} B at 0x{:08x}, stack {} B at 0x{:08x}\n",
             facts.scratch_region, facts.scratch_bytes, facts.scratch_base,
             facts.stack_top - facts.stack_limit, facts.stack_limit);
  if (facts.weights_region != facts.code_region)
    fmt::print("  {:<10} weights {:>9} B at 0x{:08x}\n", facts.weights_region, facts.container_bytes,
               facts.weights_base);
  if (!facts.kernels_region.empty())
    fmt::print("  {:<10} kernels {:>9} B\n", facts.kernels_region, facts.kernels_bytes);
}

void write_json(const ImageFacts& facts, const std::string& path) {
  nlohmann::ordered_json json = {{"schema", "mcusim.image"}, {"schema_version", 1}};
  json["board"] = facts.board;
  json["core_hz"] = facts.core_hz;
  json["image_bytes"] = facts.image_bytes;
  json["container_bytes"] = facts.container_bytes;
  json["code_bytes"] = facts.code_bytes;
  json["flash"] = {{"region", facts.code_region}, {"limit_bytes", facts.flash_limit_bytes}};
  json["arena"] = {{"region", facts.arena_region}, {"bytes", facts.arena_bytes},
                   {"base", facts.arena_base}, {"limit_bytes", facts.arena_limit_bytes}};
  json["scratch"] = {{"region", facts.scratch_region}, {"bytes", facts.scratch_bytes},
                     {"base", facts.scratch_base}};
  json["stack_bytes"] = facts.stack_top - facts.stack_limit;
  json["kernels_bytes"] = facts.kernels_bytes;
  json["rows"] = facts.rows;
  const std::string text = json.dump(1) + "\n";
  if (path == "-")
    fmt::print("{}", text);
  else
    write_file(path, text);
}

void run(const Arguments& arguments) {
  const Board board = load_board(arguments.board);
  ImageOptions options;
  options.core_hz = arguments.clock_mhz * 1'000'000;
  options.flash_limit_bytes = arguments.flash;
  options.ram_limit_bytes = arguments.ram;
  options.dump_outputs = arguments.dump;
  options.print_cycles = arguments.cycles;
  options.caches = arguments.caches;
  if (!arguments.place.empty()) apply_placement(board, arguments.place, options);
  const auto container = read_file(arguments.net);
  options.input = input_blob(arguments, container);
  const auto facts = build_image(container, board, options, arguments.out);
  if (arguments.json != "-") print_text(facts, arguments.out);
  if (!arguments.json.empty()) write_json(facts, arguments.json);
}

}  // namespace

void add_image(CLI::App& app, int*) {
  auto* command = app.add_subcommand("image", "Link a network into a firmware ELF");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("net", arguments->net, "Network container (net.bin)")->required();
  command->add_option("-b,--board", arguments->board, "Board name or .toml file")
      ->capture_default_str();
  command->add_option("--place", arguments->place,
                      "code=REGION,weights=REGION,arena=REGION,scratch=REGION\n"
                      "(code=itcm moves the kernels; start-up copies code and weights from flash)");
  command->add_option("--clock-mhz", arguments->clock_mhz, "Clock preset; default the board's first");
  add_caches_option(*command, arguments->caches);
  command->add_option("--flash", arguments->flash, "Refuse above this many bytes of flash");
  command->add_option("--ram", arguments->ram, "Refuse above this many bytes of arena");
  auto* input = command->add_option("--input", arguments->input,
                                    "Link an input in: FILE[:array][first:last] (.npy, .npz)");
  command->add_option("--seed", arguments->seed, "Link a made input in")->excludes(input);
  command->add_flag("--dump", arguments->dump, "Print outputs as hex through semihosting");
  command->add_flag("--cycles", arguments->cycles,
                    "Print each operator's cycles (DWT CYCCNT) through semihosting");
  command->add_option("-o,--output", arguments->out, "Firmware ELF to write")->required();
  command->add_option("--json", arguments->json,
                      "Sizes and places as JSON: a file besides the text, - instead of it");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace mcusim::cli
