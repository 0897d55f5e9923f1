// SPDX-License-Identifier: MIT
// Simulation speed on one network image, engines side by side in one process: bare
// Unicorn, Unicorn with empty block and memory hooks, the machine in its modes. Rates
// are CPU time, instructions per second; the ratios between the rows are what counts.
//
// Needs mcusim and mcusim-net beside it; --benchmark_repetitions=N with
// --benchmark_enable_random_interleaving=true interleaves the engines.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "sim/devices/board_devices.h"
#include "sim/machine/engine.h"
#include "sim/machine/machine.h"
#include "sim/machine/memory.h"
#include "sim/run/profile.h"
#include "sim/timing/core_estimator.h"

namespace mcusim {
namespace {

constexpr uint32_t kPeripherals = 0x40000000, kPpb = 0xE0000000;

// MobileNetV1 224_0.5 with the widths that fit the board, linked as `run` links it.
const Program& image() {
  static const Program program = [] {
    const auto directory = std::filesystem::temp_directory_path() /
                           fmt::format("mcusim_bench_{}", getpid());
    std::filesystem::create_directories(directory);
    const std::string net = directory / "net.bin", elf = directory / "net.elf";
    const std::string command =
        fmt::format("{} zoo mobilenet_v1 --width 0.5 --resolution 224 --ram 512000 --flash 2000000 "
                    "-o {} > /dev/null && {} image {} -o {} > /dev/null",
                    sibling_program("mcusim-net"), net, sibling_program("mcusim"), net, elf);
    if (std::system(command.c_str()) != 0) throw Error("{}: failed", command);
    Program loaded = load_program(elf);
    std::filesystem::remove_all(directory);
    return loaded;
  }();
  return program;
}

const Board& board() {
  static const Board loaded = load_board("stm32h743");
  return loaded;
}

// Devices without a machine: time stands still, nothing is pending.
class StillPort : public MachinePort {
 public:
  uint64_t now() override { return 0; }
  void time_shown() override {}
  void control(trace::Control::What, uint32_t, uint32_t, uint32_t) override {}
  void mark(uint32_t, uint32_t) override {}
  void console(char) override {}
  std::optional<uint8_t> input() override { return {}; }
  void pend(uint32_t) override {}
  void set_line(uint32_t, bool) override {}
  void events_changed() override {}
  void request_reset() override {}
  void set_fpu_enabled(bool) override {}
  void mpu_changed(const MpuState&) override {}
  void set_traps(bool, bool) override {}
  const Clocks& clocks() const override { return clocks_; }
  void set_clocks(const Clocks&) override {}
  void program_flash(bool) override {}
  void erase_flash(uint32_t, uint32_t) override {}

 private:
  const Clocks clocks_{1, 1, 1, 1};
};

// Unicorn with the board's memory and device registers, and empty hooks or none.
class BareEngine {
 public:
  explicit BareEngine(bool hooks) : memory_(board()) {
    for (auto& region : memory_.regions())
      engine_.map(region.region.base, region.region.size_bytes, region.region.writable,
                  region.region.executable, region.bytes.get());
    DeviceOptions options;
    options.board = &board();
    add_devices(bus_, port_, nvic_, options);
    bus_.reset();
    engine_.map_io(kPeripherals, 0x20000000, read<kPeripherals>, write<kPeripherals>, this);
    engine_.map_io(kPpb, 0x100000, read<kPpb>, write<kPpb>, this);
    const uc_cb_hookintr_t stop = [](uc_engine* engine, uint32_t, void*) { uc_emu_stop(engine); };
    engine_.hook(UC_HOOK_INTR, reinterpret_cast<void*>(stop), this);
    if (hooks) {
      const uc_cb_hookcode_t block = [](uc_engine*, uint64_t, uint32_t, void*) {};
      const uc_cb_hookmem_t access = [](uc_engine*, uc_mem_type, uint64_t, int, int64_t, void*) {};
      engine_.hook(UC_HOOK_BLOCK, reinterpret_cast<void*>(block), this);
      engine_.hook(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, reinterpret_cast<void*>(access), this);
    }
    for (const auto& segment : image().segments) memory_.write(segment.address, segment.bytes);
  }

  void run() {
    uint32_t stack = 0, reset = 0;
    memory_.try_read_word(board().initial_vtor, stack);
    memory_.try_read_word(board().initial_vtor + 4, reset);
    engine_.set_reg(UC_ARM_REG_SP, stack);
    const uc_err error = engine_.start(reset & ~1u);
    if (error != UC_ERR_OK) throw Error("bare engine: {}", uc_strerror(error));
  }

 private:
  template <uint32_t base>
  static uint64_t read(uc_engine*, uint64_t offset, unsigned size, void* self) {
    return static_cast<BareEngine*>(self)->bus_.read(base + static_cast<uint32_t>(offset), size, 0);
  }
  template <uint32_t base>
  static void write(uc_engine*, uint64_t offset, unsigned size, uint64_t value, void* self) {
    static_cast<BareEngine*>(self)->bus_.write(base + static_cast<uint32_t>(offset), size,
                                               static_cast<uint32_t>(value), 0);
  }

  Memory memory_;
  Engine engine_;
  StillPort port_;
  Nvic nvic_;
  Bus bus_;
};

uint64_t instructions_of_image() {
  static const uint64_t count = [] {
    MachineOptions options;
    options.fast = true;
    Machine machine(board(), options);
    machine.load(image());
    const RunResult result = machine.run();
    if (result.reason != EndReason::exited) throw Error("image: {}", result.message);
    return result.instructions;
  }();
  return count;
}

void report(benchmark::State& state) {
  state.counters["instr/s"] = benchmark::Counter(
      static_cast<double>(instructions_of_image()), benchmark::Counter::kIsIterationInvariantRate);
}

void bare(benchmark::State& state) {
  instructions_of_image();
  for (auto _ : state) {
    state.PauseTiming();
    BareEngine engine(state.range(0) != 0);
    state.ResumeTiming();
    engine.run();
  }
  report(state);
}

enum Mode { kFast, kStrict, kTimed, kProfiled };   // the last: what `mcusim run` does

void machine(benchmark::State& state) {
  instructions_of_image();
  for (auto _ : state) {
    state.PauseTiming();
    MachineOptions options;
    options.fast = state.range(0) == kFast;
    Machine simulated(board(), options);
    std::unique_ptr<Estimator> estimator;
    Profile profile;
    if (state.range(0) >= kTimed) {
      estimator = make_estimator(board());
      if (state.range(0) == kProfiled) estimator->attach(&profile);
      simulated.attach(estimator.get(), estimator.get());
    }
    simulated.load(image());
    // An input of zeros, as the bare engines have it.
    const Region& arena = board().region(board().arena_region);
    simulated.write_memory(arena.base, std::vector<uint8_t>(arena.size_bytes));
    state.ResumeTiming();
    const RunResult result = simulated.run();
    if (result.reason != EndReason::exited) state.SkipWithError(result.message.c_str());
  }
  report(state);
}

BENCHMARK(bare)->Name("unicorn/bare")->Arg(0)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(bare)->Name("unicorn/hooks")->Arg(1)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(machine)->Name("machine/fast")->Arg(kFast)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(machine)->Name("machine/strict")->Arg(kStrict)->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(machine)->Name("machine/timed")->Arg(kTimed)->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(machine)->Name("machine/profiled")->Arg(kProfiled)->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mcusim

BENCHMARK_MAIN();
