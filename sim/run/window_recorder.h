// SPDX-License-Identifier: MIT
// Records parts of a run: stands before the estimator, passes everything on, and
// writes what lies in the window, each stretch behind the state it starts in.
//
// What belongs: an event that starts in the stretch of cycles or instructions; from a
// layer's begin mark to its end mark; from a function's first instruction until its
// frame is gone, callees and interrupts included. So windows that adjoin share nothing
// and leave nothing out, and their cycles add up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/run/call_tree.h"
#include "sim/run/selection.h"
#include "sim/timing/estimator.h"
#include "traces/trace_file.h"

namespace mcusim {

struct Window {
  std::optional<Stretch> cycles, instructions;
  std::optional<uint32_t> layer, function;       // operator index; first address
  std::string text;                              // for people: "layer 3", "cycles 100:200"
};

// Resolves names. Throws Error naming `where`.
Window make_window(const WindowRequest& request, std::span<const report::Layer> layers,
                   std::span<const Symbol> symbols, const std::string& where);

class WindowRecorder : public trace::RetiredSink {
 public:
  // `calls` must be attached to the estimator's Timed stream. All outlive this.
  WindowRecorder(const Window& window, trace::TraceWriter& writer, Estimator& estimator, const CallTree& calls)
      : window_(window), writer_(writer), estimator_(estimator), calls_(calls) {}

  void block_defined(const trace::BlockInfo& info) override;
  void run(const trace::BlockRun& run) override;
  void mark(const trace::Mark& mark) override;
  void control(const trace::Control& control) override;
  void exception(const trace::Exception& exception) override;

  const std::string& text() const { return window_.text; }
  // Of what was recorded.
  uint64_t cycles() const { return cycles_; }
  uint64_t instructions() const { return instructions_; }
  uint64_t stretches() const { return stretches_; }
  // Stretches beyond kMaxStretches were left out.
  uint64_t left_out() const { return left_out_; }
  static constexpr uint64_t kMaxStretches = 10'000;

 private:
  bool selected() const;
  // Passes an event on; `record` writes it when it is wanted before and `still` after.
  template <typename Pass, typename Still, typename Record>
  void step(bool wanted, Pass pass, Still still, Record record);
  uint32_t file_id(uint32_t block);

  const Window window_;
  trace::TraceWriter& writer_;
  Estimator& estimator_;
  const CallTree& calls_;
  std::vector<trace::BlockInfo> blocks_;   // all of the run, by id
  std::vector<uint32_t> file_ids_;         // in the trace, kNone until it runs there
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t blocks_written_ = 0;
  RunContext context_;                     // without the call stack
  bool in_layer_ = false;
  bool recording_ = false, leaving_out_ = false;   // the event before was recorded, left out
  uint64_t retired_ = 0;
  uint64_t cycles_ = 0, instructions_ = 0, stretches_ = 0, left_out_ = 0;
};

}  // namespace mcusim
