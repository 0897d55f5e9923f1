// SPDX-License-Identifier: MIT
// A shadow stack over the Timed stream, gathered as a calling context tree.
//
// Calls push the return address; a block that starts at the return address of a
// frame pops down to it, whatever instruction got there (BX LR, POP {PC}, LDM,
// longjmp). A jump that is no call but lands on a function's first instruction
// replaces the top frame: a tail call. Interrupts push a frame that only their
// return removes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/run/run_context.h"
#include "sim/timing/estimator.h"
#include "traces/call_profile.h"

namespace mcusim {

// Slices as they open and close, for exporters that stream.
class SliceListener {
 public:
  virtual ~SliceListener() = default;
  virtual void enter(const std::string& function, uint64_t cycle) = 0;
  virtual void leave(uint64_t cycle) = 0;
};

class CallTree : public TimedSink {
 public:
  // Name and first address of the function that holds an address.
  using NameOf = std::function<std::pair<std::string, uint32_t>(uint32_t address)>;
  explicit CallTree(NameOf name_of, SliceListener* listener = nullptr);

  void timed(const TimedRun& run) override;
  void mark(const trace::Mark&, uint64_t) override {}
  void exception(const trace::Exception& exception, uint64_t start_cycle, uint64_t cycles) override;
  void slept(uint64_t start_cycle, uint64_t cycles) override;
  void window_start(const trace::WindowStart& start) override;

  CallStack stack() const;
  bool on_stack(uint32_t function_address) const;
  size_t depth() const { return stack_.size(); }

  // Closes open slices. `costs` (sim/run/profile.h has them) are given their functions;
  // address 0 stands for exception entry and return and for sleep, charged to the root.
  trace::CallProfile finish(uint64_t cycle, std::vector<trace::AddressCost> costs = {});

  // Deeper frames are charged to the deepest kept one; a lost stack stays bounded.
  static constexpr size_t kMaxDepth = 512;

 private:
  struct Frame {
    uint32_t node;
    uint32_t return_address;
    bool is_interrupt;
  };
  // What ran last before an interrupt; its return brings it back.
  struct Resume {
    const Instruction* last;
    uint32_t last_end;
  };
  struct BlockFacts {
    bool known = false;
    uint32_t function = 0;
    bool is_entry = false;      // starts at the first instruction of its function
  };

  uint32_t function_at(uint32_t address);
  uint32_t child(uint32_t parent, uint32_t function, uint32_t call_site);
  void push(uint32_t function, uint32_t call_site, uint32_t return_address, bool is_interrupt, uint64_t cycle);
  void enter(const Frame& frame, uint64_t cycle);
  void pop_to(size_t depth, uint64_t cycle);
  // Cycles of the function on top that no instruction of its own took.
  void charge(uint64_t start_cycle, uint64_t cycles);
  void settle(const DecodedBlock& block, const BlockFacts& facts, uint64_t cycle);

  NameOf name_of_;
  SliceListener* listener_;
  trace::CallProfile profile_;
  std::unordered_map<uint32_t, uint32_t> function_of_start_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> children_;  // by (parent, function)
  std::vector<BlockFacts> blocks_;
  std::vector<Frame> stack_;
  std::vector<Resume> interrupted_;
  const Instruction* last_ = nullptr;   // last retired of the previous run
  uint32_t last_end_ = 0;               // address behind it
  bool interrupt_pending_ = false;
  uint64_t now_ = 0;                    // end of what was seen last
  std::deque<Instruction> before_window_;  // what last_ and interrupted_ may refer to
};

}  // namespace mcusim
