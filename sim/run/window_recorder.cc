// SPDX-License-Identifier: MIT
#include "sim/run/window_recorder.h"

#include <fmt/format.h>

#include "memmap/base/error.h"
#include "sim/run/demangle.h"
#include "sim/run/profile.h"

namespace mcusim {
namespace {

std::string shown(const char* what, const Stretch& stretch) {
  return fmt::format("{} {}:{}", what, stretch.first, stretch.last == UINT64_MAX ? "" : fmt::format("{}", stretch.last));
}

}  // namespace

Window make_window(const WindowRequest& request, std::span<const report::Layer> layers,
                   std::span<const Symbol> symbols, const std::string& where) {
  Window out;
  out.cycles = request.cycles;
  out.instructions = request.instructions;
  if (request.cycles) out.text = shown("cycles", *request.cycles);
  if (request.instructions) out.text = shown("instructions", *request.instructions);
  if (!request.layer.empty()) {
    out.layer = find_layer(layers, request.layer, where);
    out.text = "layer " + request.layer;
  }
  if (!request.symbol.empty()) {
    const Symbol& function = find_function(symbols, request.symbol, where);
    out.function = function.address;
    out.text = "calls of " + demangled(function.name);
  }
  return out;
}

bool WindowRecorder::selected() const {
  if (window_.cycles) return window_.cycles->contains(estimator_.now());
  if (window_.instructions) return window_.instructions->contains(retired_);
  if (window_.layer) return in_layer_;
  return calls_.on_stack(*window_.function);
}

template <typename Pass, typename Still, typename Record>
void WindowRecorder::step(bool wanted, Pass pass, Still still, Record record) {
  if (wanted && !recording_ && stretches_ == kMaxStretches) {
    left_out_ += leaving_out_ ? 0 : 1;
    leaving_out_ = true;
    return pass();
  }
  leaving_out_ = false;
  if (wanted && !recording_) {
    context_.calls = calls_.stack();
    const auto state = estimator_.state(), context = to_bytes(context_);
    writer_.window_start({retired_, estimator_.now(), state, context});
    ++stretches_;
  }
  const uint64_t before = estimator_.now();
  pass();
  recording_ = wanted && still();
  if (!recording_) return;
  record();
  cycles_ += estimator_.now() - before;
}

void WindowRecorder::block_defined(const trace::BlockInfo& info) {
  check(info.id == blocks_.size(), "block ids are dense");
  blocks_.push_back(info);
  file_ids_.push_back(kNone);
  estimator_.block_defined(info);
}

// The id of a block in the trace, which defines it when it first runs there.
uint32_t WindowRecorder::file_id(uint32_t block) {
  uint32_t& id = file_ids_[block];
  if (id == kNone) {
    id = blocks_written_++;
    trace::BlockInfo info = blocks_[block];
    info.id = id;
    writer_.block_defined(info);
  }
  return id;
}

void WindowRecorder::run(const trace::BlockRun& run) {
  check(run.block < blocks_.size(), "a block is defined before it runs");
  const bool begins = window_.function && blocks_[run.block].address == *window_.function;
  step(begins || selected(), [&] { estimator_.run(run); },
       [&] { return !window_.function || calls_.on_stack(*window_.function); },
       [&] {
         trace::BlockRun written = run;
         written.block = file_id(run.block);
         writer_.run(written);
         instructions_ += run.instructions;
       });
  retired_ += run.instructions;
}

void WindowRecorder::mark(const trace::Mark& mark) {
  const bool begins = mark.port == trace::kLayerBegin, ends = mark.port == trace::kLayerEnd;
  if (begins) in_layer_ = window_.layer && mark.value == *window_.layer;
  step(selected(), [&] { estimator_.mark(mark); }, [] { return true; }, [&] { writer_.mark(mark); });
  if (begins && mark.value < Profile::kMaxLayers) {
    context_.open_layer = static_cast<int32_t>(mark.value);
    context_.any_layer = true;
  }
  if (ends) {
    context_.open_layer = -1;
    in_layer_ = false;
  }
}

void WindowRecorder::control(const trace::Control& control) {
  step(selected(), [&] { estimator_.control(control); }, [] { return true; }, [&] { writer_.control(control); });
}

void WindowRecorder::exception(const trace::Exception& exception) {
  step(selected(), [&] { estimator_.exception(exception); }, [] { return true; }, [&] { writer_.exception(exception); });
}

}  // namespace mcusim
