// SPDX-License-Identifier: MIT
#include "traces/chrome_trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace mcusim::trace {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(uint64_t cycles) { return fmt::format("{}.{:03}", cycles / 1000, cycles % 1000); }

}  // namespace

ChromeTrace::ChromeTrace(const std::string& path, const std::string& program, uint64_t max_bytes)
    : file_(path), max_bytes_(max_bytes) {
  file_.write(std::string("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"unit\":\"1 ns is 1 cycle\"},\"traceEvents\":[\n"));
  event(fmt::format(R"({{"ph":"M","pid":1,"name":"process_name","args":{{"name":{}}}}})", quoted(program)));
  event(R"({"ph":"M","pid":1,"tid":1,"name":"thread_name","args":{"name":"layers"}})");
  event(R"({"ph":"M","pid":1,"tid":2,"name":"thread_name","args":{"name":"functions"}})");
}

void ChromeTrace::event(const std::string& json) {
  if (!first_) file_.write(std::string(",\n"));
  first_ = false;
  file_.write(json);
}

void ChromeTrace::enter(Track track, const std::string& name, uint64_t cycle) {
  stack(track).push_back({name, cycle});
}

void ChromeTrace::leave(Track track, uint64_t cycle) {
  auto& open = stack(track);
  if (open.empty()) return;
  const Open slice = std::move(open.back());
  open.pop_back();
  const uint64_t length = cycle - slice.cycle;
  // Half of the room that is left may go to slices of the present least length.
  if (track == Track::functions && length < min_slice_cycles_) {
    ++dropped_;
    return;
  }
  event(fmt::format(R"({{"ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"name":{}}})", static_cast<int>(track),
                    microseconds(slice.cycle), microseconds(length), quoted(slice.name)));
  while (file_.written_bytes() > max_bytes_ - max_bytes_ / (2 * min_slice_cycles_) && min_slice_cycles_ < (1ull << 40))
    min_slice_cycles_ *= 2;
}

void ChromeTrace::counter(const std::string& name, uint64_t cycle, double value) {
  if (file_.written_bytes() > max_bytes_) {
    ++dropped_;
    return;
  }
  event(fmt::format(R"({{"ph":"C","pid":1,"ts":{},"name":{},"args":{{"value":{}}}}})", microseconds(cycle),
                    quoted(name), value));
}

void ChromeTrace::finish(uint64_t cycle) {
  for (Track track : {Track::functions, Track::layers})
    while (!stack(track).empty()) leave(track, cycle);
  event(fmt::format(R"({{"ph":"M","pid":1,"name":"process_labels","args":{{"labels":"{} short slices left out"}}}})", dropped_));
  file_.write(std::string("\n]}\n"));
  file_.commit();
}

}  // namespace mcusim::trace
