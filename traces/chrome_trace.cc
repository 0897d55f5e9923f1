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
  const bool outermost = track == Track::functions && open.empty();
  if (track == Track::functions && cycle - slice.cycle < min_slice_cycles_) {
    ++dropped_;
    if (outermost) merge(slice.cycle, cycle);
    return;
  }
  if (outermost) end_merge();
  write(track, slice.name, slice.cycle, cycle);
}

void ChromeTrace::write(Track track, const std::string& name, uint64_t start, uint64_t end) {
  event(fmt::format(R"({{"ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"name":{}}})", static_cast<int>(track),
                    microseconds(start), microseconds(end - start), quoted(name)));
  // Half of the room that is left may go to slices of the present least length.
  while (file_.written_bytes() > max_bytes_ - max_bytes_ / (2 * min_slice_cycles_) && min_slice_cycles_ < (1ull << 40))
    min_slice_cycles_ *= 2;
}

void ChromeTrace::merge(uint64_t start, uint64_t end) {
  if (merged_start_ != merged_end_ && merged_end_ != start) end_merge();
  if (merged_start_ == merged_end_) merged_start_ = start;
  merged_end_ = end;
}

void ChromeTrace::end_merge() {
  if (merged_start_ != merged_end_) write(Track::functions, "(short slices)", merged_start_, merged_end_);
  merged_start_ = merged_end_ = 0;
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
  end_merge();
  event(fmt::format(R"({{"ph":"M","pid":1,"name":"process_labels","args":{{"labels":"{} short slices left out"}}}})", dropped_));
  file_.write(std::string("\n]}\n"));
  file_.commit();
}

}  // namespace mcusim::trace
