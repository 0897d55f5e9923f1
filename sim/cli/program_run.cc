// SPDX-License-Identifier: MIT
#include "sim/cli/program_run.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/npy.h"
#include "sim/cli/command.h"
#include "sim/cli/network_input.h"
#include "sim/run/network_run.h"

namespace mcusim::cli {
namespace {

uint32_t parse_address(const std::string& text, const std::string& option) {
  uint32_t value = 0;
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* first = text.data() + (hex ? 2 : 0);
  const auto [end, failure] = std::from_chars(first, text.data() + text.size(), value, hex ? 16 : 10);
  if (failure != std::errc{} || end != text.data() + text.size())
    throw UsageError("{}: '{}' is not an address", option, text);
  return value;
}

// "TEXT" or "TEXT:N": until the console has shown TEXT so many times.
void set_until_text(const std::string& text, MachineOptions& machine) {
  machine.until_text = text;
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return;
  uint32_t count = 0;
  const auto [end, failure] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
  if (failure != std::errc{} || end != text.data() + text.size() || count == 0) return;
  machine.until_text = text.substr(0, colon);
  machine.until_text_count = count;
}

// Bytes for the guest's receivers, read as it takes them: a file or a pipe.
std::function<std::optional<uint8_t>()> open_uart(const std::string& path) {
  const std::shared_ptr<std::FILE> file(std::fopen(path.c_str(), "rb"), [](std::FILE* open) {
    if (open) std::fclose(open);
  });
  if (!file) throw Error("{}: cannot open", path);
  return [file]() -> std::optional<uint8_t> {
    const int byte = std::fgetc(file.get());
    return byte == EOF ? std::nullopt : std::optional(static_cast<uint8_t>(byte));
  };
}

SimulationOptions simulation_options(const RunOptions& options, const Board& board, const std::string& crc32) {
  // Not a number passes the option's own range check.
  if (!(options.clock_mhz >= 0)) throw UsageError("--clock-mhz: {} is not a clock", options.clock_mhz);
  SimulationOptions out;
  out.facts.program_crc32 = crc32;
  out.timed = !options.fast;
  out.machine.fast = options.fast;
  out.machine.strict = !options.no_strict && !options.fast;
  if (options.max_instructions) out.machine.max_instructions = options.max_instructions;
  if (options.until_text) set_until_text(*options.until_text, out.machine);
  out.machine.semihosting_directory = options.semihosting_directory;
  out.machine.console = [to = options.console_to_stderr ? stderr : stdout](std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); };
  for (const auto& text : options.exports) out.exports.push_back(parse_export(text));
  if (options.fast && !out.exports.empty()) throw UsageError("--export needs timing, which --fast leaves out");
  if (!options.uart_input.empty()) out.machine.uart_input = open_uart(options.uart_input);
  out.machine.uart_input_without_interrupt = options.uart_polling;
  out.record_path = options.record;
  out.window = options.window;
  out.clock = options.clock_mhz > 0 ? board.clock(static_cast<uint64_t>(options.clock_mhz * 1e6 + 0.5))
                                    : board.clocks.front();
  return out;
}

report::TextOptions text_options(const RunOptions& options) {
  return {.colour = isatty(STDOUT_FILENO) == 1, .why = options.why, .width = screen_columns()};
}

int finish(const report::Run& report, const RunOptions& options) {
  if (!options.json.empty()) write_file(options.json, report::to_json(report));
  if (!options.quiet) fmt::print("{}", report::to_text(report, text_options(options)));
  const bool ended_well = report.end == end_reason_name(EndReason::exited) || report.end == end_reason_name(EndReason::until_text) ||
                          report.end == end_reason_name(EndReason::until_pc);
  if (!ended_well) fmt::print(stderr, "mcusim: {}: {}: {}\n", report.program, report.end, report.message);
  return ended_well && report.exit_code == 0 ? 0 : 1;
}

int run_firmware(const RunOptions& options, const Board& board, const std::string& crc32) {
  if (!options.input.empty() || !options.output.empty() || options.verify || options.seed_given)
    throw UsageError("{}: --input, --output, --seed and --verify are for networks", options.program);
  if (!options.place.empty() || !options.caches || options.flash_bytes || options.ram_bytes)
    throw UsageError("{}: --place, --caches, --flash and --ram are for networks; firmware is linked already", options.program);
  SimulationOptions simulation_opts = simulation_options(options, board, crc32);
  const Program program = load_program(options.program, options.base.empty() ? std::nullopt
                                                        : std::optional(parse_address(options.base, "--base")));
  if (!options.until_pc.empty()) {
    const Symbol* symbol = program.find_symbol(options.until_pc);
    simulation_opts.machine.until_pc = symbol ? symbol->address : parse_address(options.until_pc, "--until-pc");
  }
  Simulation simulation(board, simulation_opts);
  simulation.load(program);
  report::Run report = simulation.run();
  report::check_conservation(report);
  simulation.finish(report);
  return finish(report, options);
}

// Progress on stderr, for people only: layers of a run, inputs of a batch.
class Progress {
 public:
  Progress(size_t inputs, size_t layers) : inputs_(inputs), layers_(layers) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  void input(size_t index) { input_ = index; }
  void layer_end(uint32_t op_index) {
    shown_ = true;
    const std::string batch = inputs_ > 1 ? fmt::format("input {} of {}, ", input_ + 1, inputs_) : "";
    fmt::print(stderr, "\r\033[K{}layer {} of {}", batch, op_index + 1, layers_);
    std::fflush(stderr);
  }

 private:
  const size_t inputs_, layers_;
  size_t input_ = 0;
  bool shown_ = false;
};

// The messages of a container speak of its fields; the user knows the file.
std::unique_ptr<NetworkRun> make_network_run(const Board& board, std::vector<uint8_t> container,
                                             const NetworkRunOptions& options, const std::string& path) {
  try {
    return std::make_unique<NetworkRun>(board, std::move(container), options);
  } catch (const Error& error) {
    throw Error("{}: {}", path, error.what());
  }
}

int run_network(const RunOptions& options, const Board& board, const std::string& crc32, std::vector<uint8_t> container) {
  if (!options.base.empty())
    throw UsageError("{}: --base is for raw binaries; a network's image has its own addresses", options.program);
  NetworkRunOptions run_options;
  run_options.simulation = simulation_options(options, board, crc32);
  run_options.verify = options.verify;
  run_options.image.core_hz = run_options.simulation.clock.core_hz;
  run_options.image.flash_limit_bytes = options.flash_bytes;
  run_options.image.ram_limit_bytes = options.ram_bytes;
  run_options.image.caches = options.caches;
  if (!options.place.empty()) apply_placement(board, options.place, run_options.image);
  std::optional<Progress> progress;
  if (isatty(STDERR_FILENO) == 1)
    run_options.simulation.on_layer_end = [&progress](uint32_t op_index) { progress->layer_end(op_index); };
  const auto made = make_network_run(board, std::move(container), run_options, options.program);
  const NetworkRun& network = *made;
  const Feed feed = make_feed(network.net(), options.input, options.seed);
  if (feed.samples.size() > 1 && (!options.record.empty() || !options.exports.empty()))
    throw UsageError("{}: a trace or an export is of one input, select it: FILE:array[0:1]", options.input);

  progress.emplace(feed.samples.size(), network.net().ops.size());
  report::Run report;
  std::vector<std::vector<uint8_t>> outputs;
  bool verified = true;
  for (size_t i = 0; i < feed.samples.size(); ++i) {
    progress->input(i);
    auto result = network.run(feed.samples[i]);
    verified = verified && result.verified;
    if (!result.outputs.empty()) outputs.push_back(std::move(result.outputs[0]));
    const bool stop = result.report.end != end_reason_name(EndReason::exited) || !result.verified;
    report = std::move(result.report);
    report.input = feed.name + (feed.samples.size() > 1 ? fmt::format(", sample {}", i) : "");
    if (stop) break;
  }
  progress.reset();
  report.program = std::filesystem::path(options.program).filename().string();
  if (!options.output.empty() && outputs.size() == feed.samples.size())
    write_file(options.output, format_npy(shown_array(network.net().tensors[static_cast<size_t>(network.net().outputs[0])], outputs)));
  const int status = finish(report, options);
  if (!verified) fmt::print(stderr, "mcusim: {}: {}\n", options.program, report.verify);
  return verified ? status : 1;
}

}  // namespace

size_t screen_columns() {
  winsize screen{};
  return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) == 0 ? screen.ws_col : 0;
}

int run_program(const RunOptions& options) {
  Board board = load_board(options.board);
  if (options.hse_mhz) board.hse_hz = static_cast<uint64_t>(*options.hse_mhz * 1e6 + 0.5);
  if (options.until_text && options.until_text->empty())
    throw UsageError("--until-text: an empty text is always there; say what to wait for");
  const auto bytes = read_file(options.program);
  const std::string crc32 = fmt::format("{:08x}", crc32_of(bytes));
  if (auto container = load_network(options.program)) return run_network(options, board, crc32, std::move(*container));
  return run_firmware(options, board, crc32);
}

void add_program_options(CLI::App& command, RunOptions& options) {
  command.add_option("program", options.program, "net.bin, net.json, model.tflite, quantised model.onnx, or firmware (.elf, .hex, raw with --base)")->required();
  command.add_option("--board", options.board, "Board name or board file")->capture_default_str();
  command.add_option("--clock-mhz", options.clock_mhz, "Core clock, one of the board's presets")
      ->check(CLI::Range(1.0, 10000.0));
  command.add_option("--input", options.input, "FILE[:array][first:last] (.npy, .npz) or stored bytes (.raw)");
  command.add_option_function<uint64_t>("--seed", [&options](uint64_t seed) {
    options.seed = seed;
    options.seed_given = true;
  }, "Seed of the rule-made input used without --input [1]");
  command.add_option("--place", options.place, "Where parts of a network image go: code=itcm,weights=AXI_SRAM,arena=SRAM1,...");
  add_caches_option(command, options.caches);
  command.add_option("--flash", options.flash_bytes, "Refuse images larger than this many bytes");
  command.add_option("--ram", options.ram_bytes, "Refuse arenas larger than this many bytes");
  command.add_option("--max-instructions", options.max_instructions, "End after so many instructions");
  command.add_option("--until-text", options.until_text, "End when the console has shown TEXT (TEXT:N, N times)");
  command.add_option("--until-pc", options.until_pc, "End before this function or address runs");
  command.add_option("--base", options.base, "Load address of a raw binary");
  command.add_option("--hse-mhz", options.hse_mhz, "Crystal or external clock, if not the board file's")
      ->check(CLI::Range(1.0, 50.0));
  command.add_option("--semihosting-dir", options.semihosting_directory, "Let the guest open files under this directory");
  command.add_option("--uart", options.uart_input, "File or pipe that the guest's USARTs receive from");
  command.add_flag("--uart-polling", options.uart_polling, "Offer received bytes though the receive interrupt is off");
  command.add_flag("--no-strict", options.no_strict, "Go on where only real silicon would fault");
  command.add_flag("-q,--quiet", options.quiet, "Print no report");
}

}  // namespace mcusim::cli
