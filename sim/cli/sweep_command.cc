// SPDX-License-Identifier: MIT
// `mcusim sweep`: one network on many boards, clocks and placements.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <tuple>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/cli/command.h"
#include "sim/cli/network_input.h"
#include "sim/report/sweep_table.h"
#include "sim/run/network_run.h"
#include "sim/run/sweep.h"
#include "sim/timing/core_estimator.h"

namespace mcusim::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string program, input, state_folder, csv, json;
  std::vector<std::string> boards = {"stm32h743"}, clocks, places, caches;
  uint64_t seed = 1, flash_bytes = 0, ram_bytes = 0;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  bool verify = false, quiet = false;
};

std::string checksum(std::span<const uint8_t> bytes) { return fmt::format("{:08x}", crc32_of(bytes)); }

// Names and bytes of files under one checksum.
std::string checksum_of_files(std::vector<fs::path> files) {
  std::sort(files.begin(), files.end());
  std::string list;
  for (const auto& file : files)
    list += fmt::format("{} {}\n", file.filename().string(), checksum(read_file(file.string())));
  return checksum({reinterpret_cast<const uint8_t*>(list.data()), list.size()});
}

std::vector<fs::path> files_of(const char* data_folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(data_directory()) / data_folder)) files.push_back(entry.path());
  return files;
}

std::string checksum_of_values(const std::vector<std::vector<uint8_t>>& values) {
  std::vector<uint8_t> all;
  for (const auto& value : values) all.insert(all.end(), value.begin(), value.end());
  return checksum(all);
}

std::vector<uint8_t> load_container(const std::string& path) {
  auto container = load_network(path);
  if (!container) throw UsageError("{}: is not a network; a firmware image places itself", path);
  return std::move(*container);
}

// What is the same for every point of a sweep.
class Work {
 public:
  explicit Work(const Options& options)
      : options_(options), container_(load_container(options.program)),
        feed_(make_feed(decode(container_.data(), container_.size()), options.input, options.seed)) {
    if (feed_.samples.size() > 1)
      throw UsageError("{}: a sweep runs one input, select it: FILE:array[0:1]", options.input);
    facts_ = {{"mcusim", checksum_of_files({"/proc/self/exe"})},
              {"firmware", checksum_of_files(files_of("firmware"))},
              {"network", checksum(container_)},
              {"input", checksum_of_values(feed_.samples[0])},
              {"limits", fmt::format("flash {} ram {}", options.flash_bytes, options.ram_bytes)},
              {"verify", options.verify ? "yes" : "no"}};
  }

  const std::string& input_name() const { return feed_.name; }

  SweepFacts facts(const SweepPoint& point) {
    auto [at, is_new] = boards_.try_emplace(point.board_name);
    if (is_new)
      at->second = {{"board", fs::exists(point.board_name) ? checksum_of_files({point.board_name})
                                                           : checksum_of_files(files_of("boards"))},
                    {"timing_table", make_estimator(load_board(point.board_name))->table_hash()}};
    SweepFacts facts = facts_;
    facts.insert(at->second.begin(), at->second.end());
    return facts;
  }

  SweepResult run(const SweepPoint& point) const {
    const Board board = load_board(point.board_name);
    NetworkRunOptions options;
    options.image = image_options(board, point);
    options.image.flash_limit_bytes = options_.flash_bytes;
    options.image.ram_limit_bytes = options_.ram_bytes;
    options.simulation.clock = board.clock(point.core_hz);
    options.verify = options_.verify;
    const NetworkRun network(board, container_, options);
    auto done = network.run(feed_.samples[0]);
    if (done.report.end != end_reason_name(EndReason::exited) || done.report.exit_code != 0)
      throw Error("{}: {}", done.report.end, done.report.message);
    if (!done.verified) throw Error("{}", done.report.verify);
    SweepResult result;
    result.outputs_crc32 = checksum_of_values(done.outputs);
    result.report = std::move(done.report);
    result.report.input = feed_.name;
    result.report.program = fs::path(options_.program).filename().string();
    return result;
  }

 private:
  const Options& options_;
  const std::vector<uint8_t> container_;
  const Feed feed_;
  SweepFacts facts_;
  std::map<std::string, SweepFacts> boards_;
};

std::vector<report::SweepRow> rows_of(const std::vector<SweepPoint>& points, const Sweep& sweep) {
  std::vector<report::SweepRow> rows;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto& [point, result] = std::tie(points[i], sweep.results[i]);
    report::SweepRow row = result.ran ? report::sweep_row(result.report) : report::SweepRow{};
    row.board = point.board_name;
    row.core_hz = point.core_hz;
    row.code = point.code;
    row.weights = point.weights;
    row.arena = point.arena;
    row.scratch = point.scratch;
    row.caches = point.caches;
    row.reason = result.reason;
    rows.push_back(std::move(row));
  }
  return rows;
}

// Where a tensor lies must not change what is computed.
void check_outputs(const Sweep& sweep) {
  std::set<std::string> sums;
  for (const auto& result : sweep.results)
    if (result.ran) sums.insert(result.outputs_crc32);
  check(sums.size() <= 1, "every point of a sweep computes the same outputs");
}

int run(const Options& options) {
  SweepMatrix matrix{options.boards, options.clocks, options.places, {}};
  for (const auto& word : options.caches) matrix.caches.push_back(word == "on");
  const auto points = sweep_points(matrix);
  Work work(options);
  SweepOptions sweep_options;
  sweep_options.state_folder = options.state_folder.empty()
                                   ? fs::path(options.program).filename().string() + ".sweep"
                                   : options.state_folder;
  sweep_options.jobs = options.jobs;
  sweep_options.run = [&](const SweepPoint& point) { return work.run(point); };
  sweep_options.facts = [&](const SweepPoint& point) { return work.facts(point); };
  if (isatty(STDERR_FILENO) == 1)
    sweep_options.progress = [](size_t done, size_t total) {
      fmt::print(stderr, "\r\033[K{}", done < total ? fmt::format("point {} of {}", done + 1, total) : "");
      std::fflush(stderr);
    };
  const Sweep sweep = run_sweep(points, sweep_options);
  for (const auto& [fact, count] : sweep.changed)
    fmt::print(stderr, "mcusim: sweep: {} kept results were made with another {}; run again\n", count, fact);
  check_outputs(sweep);
  const auto rows = rows_of(points, sweep);
  if (!options.csv.empty()) write_file(options.csv, report::sweep_csv(rows));
  const std::string name = fs::path(options.program).filename().string();
  if (!options.json.empty()) write_file(options.json, report::sweep_json(rows, name, work.input_name()));
  if (!options.quiet)
    fmt::print("{}: {} points, {} known from before; kept in {}\n{}", name, points.size(), sweep.kept, sweep_options.state_folder,
               report::sweep_text(rows));
  const bool any = std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.ran(); });
  return any && sweep.broken == 0 ? 0 : 1;
}

}  // namespace

void add_sweep(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("sweep", "Run a network at every point of a matrix of boards, clocks and placements");
  command->add_option("program", options->program, "net.bin, net.json, model.tflite or quantised model.onnx")->required();
  command->add_option("--board", options->boards, "Boards: names or files, separated by commas")->delimiter(',')
      ->allow_extra_args(false)->capture_default_str();
  command->add_option("--clock-mhz", options->clocks, "Core clocks, or 'all' presets [each board's first]")->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--place", options->places,
                      "WHAT=REGION[:REGION...],... with WHAT code, weights, arena or scratch:\n"
                      "every combination is a point; may be repeated [the board's places]")
      ->allow_extra_args(false)->type_name("PLACES");
  command->add_option("--caches", options->caches, "on, off or both: on,off [on]")->delimiter(',')->allow_extra_args(false)
      ->check(CLI::IsMember({"on", "off"}));
  command->add_option("--input", options->input, "One sample: FILE[:array][first:last] (.npy, .npz) or stored bytes (.raw)");
  command->add_option("--seed", options->seed, "Seed of the made input used without --input")->capture_default_str();
  command->add_option("--flash", options->flash_bytes, "Refuse images larger than this many bytes");
  command->add_option("--ram", options->ram_bytes, "Refuse arenas larger than this many bytes");
  command->add_flag("--verify", options->verify, "Compare every layer of every point with the naive twin");
  command->add_option("--jobs", options->jobs, "Points at a time, each in a process of its own [one per core]")
      ->check(CLI::Range(1, 1024));
  command->add_option("--state", options->state_folder,
                      "Folder of finished points [PROGRAM.sweep]; a killed sweep goes on from there");
  command->add_option("--csv", options->csv, "Write the table as CSV");
  command->add_option("--json", options->json, "Write the table as JSON");
  command->add_flag("-q,--quiet", options->quiet, "Print no table");
  command->footer("Cycles are those of one inference; start-up, with its copies to RAM, stands apart.\n"
                  "Points that do not fit are rows with the reason. The state folder holds the full report of\n"
                  "each point (mcusim report, mcusim diff); results of another network, input, mcusim or timing\n"
                  "table are not used.\n"
                  "Examples:\n"
                  "  mcusim sweep net.bin --clock-mhz all --caches on,off\n"
                  "  mcusim sweep net.bin --place arena=AXI_SRAM:DTCM:SRAM1,weights=flash:AXI_SRAM,code=flash:itcm --csv t.csv");
  command->callback([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace mcusim::cli
