// SPDX-License-Identifier: MIT
#include <zstd.h>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "traces/trace_file.h"

namespace mcusim::trace {
namespace {

constexpr size_t kChunk_bytes = 1 << 20;
constexpr int kLevel = 1;  // recording may at most double a run's time

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

TraceWriter::TraceWriter(const std::string& path, const std::string& metadata, RetiredSink* next)
    : file_(path), next_(next), compressed_(ZSTD_compressBound(2 * kChunk_bytes)) {
  word(kTraceMagic);
  word(kTraceVersion);
  write_text(metadata);
}

void TraceWriter::word(uint32_t value) {
  const uint8_t bytes[] = {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8),
                           static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 24)};
  file_.write(std::span<const uint8_t>(bytes));
}

void TraceWriter::write_text(const std::string& text) {
  word(static_cast<uint32_t>(text.size()));
  word(crc32_of(bytes_of(text)));
  file_.write(text);
}

void TraceWriter::write_chunk(const std::vector<uint8_t>& events) {
  if (events.empty()) return;
  compressed_.resize(ZSTD_compressBound(events.size()));
  const size_t size = ZSTD_compress(compressed_.data(), compressed_.size(), events.data(), events.size(), kLevel);
  check(!ZSTD_isError(size), "zstd compresses into a bound-sized buffer");
  word(static_cast<uint32_t>(events.size()));
  word(static_cast<uint32_t>(size));
  word(crc32_of(events));
  file_.write(std::span<const uint8_t>(compressed_.data(), size));
}

void TraceWriter::flush_if_full() {
  if (encoder_.size() >= kChunk_bytes) write_chunk(encoder_.take());
}

void TraceWriter::block_defined(const BlockInfo& info) {
  encoder_.block_defined(info);
  if (next_) next_->block_defined(info);
}

void TraceWriter::run(const BlockRun& run) {
  encoder_.run(run);
  flush_if_full();
  if (next_) next_->run(run);
}

void TraceWriter::mark(const Mark& mark) {
  encoder_.mark(mark);
  if (next_) next_->mark(mark);
}

void TraceWriter::control(const Control& control) {
  encoder_.control(control);
  if (next_) next_->control(control);
}

void TraceWriter::exception(const Exception& exception) {
  encoder_.exception(exception);
  if (next_) next_->exception(exception);
}

void TraceWriter::window_start(const WindowStart& start) {
  encoder_.window_start(start);
  flush_if_full();
  if (next_) next_->window_start(start);
}

void TraceWriter::finish(const std::string& summary) {
  write_chunk(encoder_.take());
  word(0);  // a chunk of no bytes: the end
  write_text(summary);
  file_.commit();
}

}  // namespace mcusim::trace
