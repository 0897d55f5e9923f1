// SPDX-License-Identifier: MIT
// Gathers the Timed stream by layer and by instruction; functions follow from
// instruction addresses and the symbol table at the end.
//
// Runs of one schedule are counted and spread over causes and instructions later, all
// at once: the sums are those of adding them one by one.
//
// A block belongs to the layer that is open when it is delivered. Code outside
// every layer is split in what came before the first layer and what came later.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/timing/estimator.h"
#include "traces/call_profile.h"

namespace mcusim {

class Profile : public TimedSink {
 public:
  // Far above any container's operator count; a mark beyond it is not ours.
  static constexpr uint32_t kMaxLayers = 65536;

  // Cycles and retired instructions of a stretch of the run.
  struct Share {
    uint64_t instructions = 0, cycles = 0, data_bytes = 0;
    CauseCycles causes{};
  };

  void timed(const TimedRun& run) override;
  void repeated(std::span<const TimedRun> loop, uint64_t times, uint64_t period_cycles) override;
  void mark(const trace::Mark& mark, uint64_t cycle) override;
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override;
  void slept(uint64_t start_cycle, uint64_t cycles) override;
  void window_start(const trace::WindowStart& start) override;

  const Share& total() const { return spread(), total_; }
  const Share& startup() const { return spread(), startup_; }
  const Share& between() const { return spread(), between_; }
  // By operator index; shorter than the operator list when the run ended early.
  const std::vector<Share>& layers() const { return spread(), layers_; }
  int open_layer() const { return open_layer_; }

  // Sums instructions by the symbol that `name_of` gives for their address;
  // `exceptions` cycles belong to the handler entered or left.
  using NameOf = std::function<std::pair<std::string, uint32_t>(uint32_t address)>;
  std::vector<report::Function> functions(const NameOf& name_of) const;

  // Every block that ran, with the share of each of its instructions.
  void for_each_block(const std::function<void(const DecodedBlock&, std::span<const Share>)>& visit) const;
  // Every instruction of every block; one address may come in several blocks.
  void for_each_instruction(const std::function<void(const Instruction&, const Share&)>& visit) const;

  // Cost of every instruction address, ascending, functions left 0; exception entry
  // and return and sleep are at address 0.
  std::vector<trace::AddressCost> address_costs() const;

 private:
  struct BlockShare {
    const DecodedBlock* block = nullptr;
    std::vector<Share> instructions;
  };
  // A schedule and its runs that are not yet spread over instructions and causes.
  struct Repeated {
    const DecodedBlock* block = nullptr;
    uint64_t runs = 0, cycles = 0;
    std::vector<InstructionCycles> parts;
  };
  static constexpr size_t kMaxRepeated = 1 << 18;   // older schedules are added run by run

  Share& open_share() const;
  BlockShare& share_of(const DecodedBlock& block) const;
  void add_timed(const TimedRun& run, uint64_t times);
  Repeated* counted(const TimedRun& run, uint64_t times);   // nullptr: of no schedule that repeats
  // Adds `runs` runs that retired `retired` instructions to the open share.
  uint64_t add_runs(const DecodedBlock& block, std::span<const InstructionCycles> parts,
                    uint32_t retired, uint64_t runs) const;
  // Brings the sums up to date: before the open share changes, and before they are read.
  void spread() const;

  // What spread() completes.
  mutable std::vector<BlockShare> blocks_;  // by block id
  mutable std::vector<Share> layers_;
  mutable Share total_, startup_, between_;
  mutable std::vector<Repeated> repeated_;  // by number since first_repeated_
  mutable std::vector<size_t> waiting_;     // indices of those with runs
  uint64_t first_repeated_ = 1;
  Share exceptions_, asleep_;
  int open_layer_ = -1;
  bool any_layer_ = false;
};

}  // namespace mcusim
