// SPDX-License-Identifier: MIT
#include "sim/run/run_context.h"

#include "sim/run/call_tree.h"
#include "sim/run/profile.h"
#include "sim/timing/state.h"

namespace mcusim {
namespace {

template <typename Archive>
void carry(Archive& archive, Executed& executed) {
  bool has_last = executed.last.has_value();
  archive.flag(has_last);
  archive.value(executed.end);
  if (!has_last) return;
  if (!executed.last) executed.last.emplace();
  timing::carry(archive, *executed.last);
}

template <typename Archive>
void carry(Archive& archive, RunContext& context) {
  archive.value(context.open_layer);
  archive.flag(context.any_layer);
  archive.list(context.calls.frames, CallTree::kMaxDepth, [&](CallFrame& frame) {
    archive.value(frame.function);
    archive.value(frame.call_site);
    archive.value(frame.return_address);
    archive.flag(frame.is_interrupt);
  });
  carry(archive, context.calls.last);
  archive.list(context.calls.interrupted, CallTree::kMaxDepth, [&](Executed& executed) { carry(archive, executed); });
  archive.flag(context.calls.interrupt_pending);
}

}  // namespace

std::vector<uint8_t> to_bytes(RunContext context) {
  timing::StateSaver saver;
  carry(saver, context);
  return saver.take();
}

RunContext run_context_from_bytes(std::span<const uint8_t> bytes) {
  timing::StateLoader loader(bytes);
  RunContext context;
  carry(loader, context);
  loader.end();
  if (context.open_layer < -1 || context.open_layer >= static_cast<int32_t>(Profile::kMaxLayers))
    loader.refuse("a layer that cannot be");
  return context;
}

}  // namespace mcusim
