// SPDX-License-Identifier: MIT
#include "sim/image/image.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <set>

#include "kernels/host/int_net.h"
#include "kernels/kernel_table.h"
#include "kernels/target/config.h"
#include "memmap/base/bytes.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/linker_script.h"
#include "sim/image/tool.h"
#include "sim/loader/program.h"

namespace mcusim {
namespace {

namespace fs = std::filesystem;

// mcusim::target::firmware_main(), which start-up calls.
constexpr const char* kMainSymbol = "_ZN6mcusim6target13firmware_mainEv";

// What the image needs to know of a container that `validate` has passed.
struct ContainerFacts {
  uint32_t arena_bytes = 0, scratch_bytes = 0;
  uint64_t input_bytes = 0;
  std::vector<std::string> rows;
};

ContainerFacts read_container(std::span<const uint8_t> container) {
  const ByteReader file(container, "container");
  const auto header = file.at<net::Header>(0);
  auto tensor = [&](uint32_t id) {
    return file.at<net::Tensor>(header.tensors_offset + uint64_t{id} * sizeof(net::Tensor));
  };
  ContainerFacts facts{header.arena_bytes, header.scratch_bytes, 0, {}};
  for (uint32_t i = 0; i < header.input_count; ++i) {
    const auto t = tensor(file.at<uint16_t>(header.io_offset + 2ull * i));
    facts.input_bytes += uint64_t{t.h} * t.w * pixel_bytes(t.c, t.bits);
  }
  std::set<std::string> rows;
  for (uint32_t i = 0; i < header.op_count; ++i) {
    const auto op = file.at<net::Op>(header.ops_offset + uint64_t{i} * sizeof(net::Op));
    const RowKey key = row_key(op, tensor(op.in0), tensor(op.out));
    const Row* row = find_row(key);
    if (!row)
      throw Error("image: operator {}: no kernel row for family {}, {}-bit input, {}-bit weights, "
                  "{}-bit output, contract {}",
                  i, op.family, key.in_bits, key.weight_bits, key.out_bits, op.contract);
    rows.insert(row->name);
  }
  facts.rows.assign(rows.begin(), rows.end());
  return facts;
}

std::vector<uint32_t> config_words(const Board& board, const ClockPreset& clock,
                                   const ImageOptions& options) {
  const target::Config config = {
      .magic = target::kConfigMagic,
      .flags = (options.dump_outputs ? target::kDumpOutputs : 0) |
               (options.print_cycles ? target::kPrintCycles : 0) |
               (clock.overdrive ? target::kOverdrive : 0),
      .pll_m = clock.pll_m,
      .pll_n = clock.pll_n,
      .pll_p = clock.pll_p,
      .ahb_divider = static_cast<uint32_t>(clock.core_hz / clock.axi_hz),
      .vos_field = clock.vos_field,
      .flash_wait_states = clock.flash_wait_states,
      .flash_program_delay = clock.flash_program_delay,
      .dcache_sets = options.caches ? board.dcache.sets() : 0,
      .dcache_ways = board.dcache.ways,
      .dcache_line_bytes = board.dcache.line_bytes};
  std::vector<uint32_t> words(target::kConfigWords);
  std::memcpy(words.data(), &config, sizeof config);
  return words;
}

// Wraps bytes as an object; `ld -r -b binary` puts them into .data.
void wrap_bytes(const CrossTools& tools, const TemporaryDirectory& directory,
                std::span<const uint8_t> bytes, const std::string& object) {
  const std::string binary = object.substr(0, object.rfind('.')) + ".bin";
  write_file(directory.file(binary), bytes);
  run_tool({tools.linker, "-r", "-b", "binary", "-o", object, binary}, directory.path());
}

std::string firmware_file(const std::string& name) {
  const auto path = fs::path(data_directory()) / "firmware" / name;
  if (!fs::exists(path)) throw Error("{}: not found; was the firmware built?", path.string());
  return path.string();
}

// One line with every limit that is exceeded, or nothing.
void refuse_oversize(const Board& board, const ImageFacts& facts) {
  struct Need {
    const char* what;
    const std::string& region;
    uint64_t bytes, limit_bytes;
  };
  std::string excess;
  for (const Need& need :
       {Need{"image_bytes", facts.code_region, facts.image_bytes, facts.flash_limit_bytes},
        Need{"arena_bytes", facts.arena_region, facts.arena_bytes, facts.arena_limit_bytes},
        Need{"scratch and stack", facts.scratch_region, facts.scratch_region_bytes,
             facts.scratch_limit_bytes}})
    if (need.bytes > need.limit_bytes)
      excess += fmt::format("{} {} {} > {} ({})", excess.empty() ? "" : ";", need.what, need.bytes,
                            need.limit_bytes, need.region);
  // What shares its region with something else may fit alone and yet end beyond it.
  struct End {
    const char* what;
    const std::string& region;
    uint64_t address;
  };
  for (const End& end :
       {End{"weights end", facts.weights_region, uint64_t{facts.weights_base} + facts.container_bytes},
        End{"arena ends", facts.arena_region, uint64_t{facts.arena_base} + facts.arena_bytes}}) {
    const Region& region = board.region(end.region);
    if (excess.empty() && end.address > uint64_t{region.base} + region.size_bytes)
      excess = fmt::format(" {} at 0x{:08x}, {} at 0x{:08x}", end.what, end.address, region.name,
                           uint64_t{region.base} + region.size_bytes);
  }
  if (!excess.empty()) throw Error("{}: the network does not fit:{}", board.name, excess);
}

// What --place can move. Code and weights are part of the image and may stay in it.
struct Place {
  const char* what;
  std::string ImageOptions::*region;
  bool stays_in_image, is_code;
};
constexpr Place kPlaces[] = {{"code", &ImageOptions::kernels_region, true, true},
                             {"weights", &ImageOptions::weights_region, true, false},
                             {"arena", &ImageOptions::arena_region, false, false},
                             {"scratch", &ImageOptions::scratch_region, false, false}};

}  // namespace

void apply_placement(const Board& board, const std::string& text, ImageOptions& options) {
  auto lower = [](std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return std::tolower(c); });
    return s;
  };
  auto find_region = [&](const std::string& wanted) {
    if (lower(wanted) == "flash") return board.code_region;
    std::string known;
    for (const auto& region : board.regions) {
      if (!region.is_memory()) continue;
      if (lower(region.name) == lower(wanted)) return region.name;
      known += (known.empty() ? "" : ", ") + region.name;
    }
    throw UsageError("--place: no memory region {} on {} (has {})", wanted, board.name, known);
  };
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string item = text.substr(at, end - at);
    at = end + 1;
    const size_t equals = item.find('=');
    if (equals == std::string::npos) throw UsageError("--place: {}: expected WHAT=REGION", item);
    const std::string what = item.substr(0, equals);
    const auto place = std::find_if(std::begin(kPlaces), std::end(kPlaces),
                                    [&](const Place& p) { return what == p.what; });
    if (place == std::end(kPlaces))
      throw UsageError("--place: {}: can place code, weights, arena and scratch", what);
    const Region& region = board.region(find_region(item.substr(equals + 1)));
    const bool in_image = region.name == board.code_region;
    if (in_image && !place->stays_in_image)
      throw UsageError("--place: {}: {} holds the image", item, region.name);
    if (!in_image && !region.writable)
      throw UsageError("--place: {}: {} cannot be written", item, region.name);
    if (place->is_code && !region.executable)
      throw UsageError("--place: {}: {} holds no code", item, region.name);
    options.*place->region = in_image ? "" : region.name;
  }
}

ImageFacts build_image(std::span<const uint8_t> container, const Board& board,
                       const ImageOptions& options, const std::string& out_path) {
  validate(container.data(), container.size());
  const ContainerFacts net = read_container(container);
  if (!options.input.empty() && options.input.size() != net.input_bytes)
    throw Error("image: input of {} bytes, the network takes {}", options.input.size(),
                net.input_bytes);
  const ClockPreset& clock = options.core_hz ? board.clock(options.core_hz) : board.clocks.front();
  auto region_or = [&](const std::string& chosen, const std::string& boards) {
    return board.region(chosen.empty() ? boards : chosen).name;
  };

  ImageFacts facts;
  facts.board = board.name;
  facts.core_hz = clock.core_hz;
  facts.code_region = region_or(options.code_region, board.code_region);
  facts.arena_region = region_or(options.arena_region, board.arena_region);
  facts.scratch_region = region_or(options.scratch_region, board.scratch_region);
  facts.kernels_region = options.kernels_region;
  facts.weights_region = region_or(options.weights_region, facts.code_region);
  facts.container_bytes = static_cast<uint32_t>(container.size());
  facts.arena_bytes = net.arena_bytes;
  facts.scratch_bytes = net.scratch_bytes;
  facts.rows = net.rows;
  auto limit = [&](uint64_t user, const std::string& region) {
    const uint64_t size = board.region(region).size_bytes;
    return user ? std::min(user, size) : size;
  };
  facts.flash_limit_bytes = limit(options.flash_limit_bytes, facts.code_region);
  facts.arena_limit_bytes = limit(options.ram_limit_bytes, facts.arena_region);
  facts.scratch_limit_bytes = limit(0, facts.scratch_region);

  ImageLayout layout{facts.code_region, facts.arena_region,  facts.scratch_region,
                     facts.kernels_region, options.weights_region, facts.arena_bytes,
                     facts.scratch_bytes, board.stack_bytes, config_words(board, clock, options)};
  const CrossTools tools = find_cross_tools();
  const TemporaryDirectory directory;
  write_file(directory.file("image.ld"), linker_script(board, layout));
  wrap_bytes(tools, directory, container, kContainerObject);
  std::vector<std::string> command = {
      tools.linker, "-T", "image.ld", "--gc-sections", "--build-id=none", "--no-warn-rwx-segments",
      "--no-check-sections", "-z", "max-page-size=8", "-o", "image.elf", "-u", "mcusim_vectors"};
  for (const auto& row : net.rows) command.push_back("--require-defined=" + row);
  // Images that read their weights in flash do not carry the copy (kernels/target/weights.cc).
  if (!options.weights_region.empty()) command.push_back(std::string("--wrap=") + kMainSymbol);
  command.push_back(firmware_file("startup_" + board.startup + ".o"));
  command.push_back(kContainerObject);
  if (!options.input.empty()) {
    wrap_bytes(tools, directory, options.input, kInputObject);
    command.push_back(kInputObject);
  }
  for (const std::string& archive :
       {std::string("--start-group"), firmware_file("libmcusim_firmware.a"),
        firmware_file(kKernelArchive), tools.libgcc, tools.libc, std::string("--end-group")})
    command.push_back(archive);
  run_tool(command, directory.path());

  const auto elf = read_file(directory.file("image.elf"));
  const Program program = parse_elf(elf, out_path);
  const Region& code = board.region(facts.code_region);
  for (const auto& segment : program.segments)
    if (segment.address >= code.base)
      facts.image_bytes += static_cast<uint32_t>(segment.bytes.size());
  facts.code_bytes = facts.image_bytes - facts.container_bytes -
                     static_cast<uint32_t>(options.input.size());
  facts.kernels_bytes = program.symbol_address("__fast_code_end") -
                        program.symbol_address("__fast_code_start");
  facts.weights_base = program.symbol_address("mcusim_net");
  facts.arena_base = program.symbol_address("mcusim_arena");
  facts.scratch_base = program.symbol_address("mcusim_scratch");
  facts.stack_top = program.symbol_address("__stack_top");
  facts.stack_limit = program.symbol_address("__stack_limit");
  // Everything of the scratch region: data, scratch, the arena if it shares it, stack.
  const Region& scratch = board.region(facts.scratch_region);
  const bool shared = facts.arena_region == facts.scratch_region;
  facts.scratch_region_bytes =
      program.symbol_address(shared ? "mcusim_arena_end" : "mcusim_scratch_end") - scratch.base +
      board.stack_bytes;
  refuse_oversize(board, facts);
  if (!facts.kernels_region.empty()) {
    const Region& kernels = board.region(facts.kernels_region);
    if (facts.kernels_bytes > kernels.size_bytes)
      throw Error("{}: kernels of {} bytes do not fit {} ({} bytes)", board.name,
                  facts.kernels_bytes, kernels.name, kernels.size_bytes);
  }
  write_file(out_path, elf);
  return facts;
}

}  // namespace mcusim
