// SPDX-License-Identifier: MIT
#include <zstd.h>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "traces/trace_file.h"

namespace mcusim::trace {
namespace {

constexpr uint32_t kMaxChunk_bytes = 64u << 20;
constexpr uint32_t kMaxText_bytes = 64u << 20;

}  // namespace

TraceReader::TraceReader(const std::string& path) : name_(path), data_(read_file(path)), file_(data_, path) {
  if (file_.size() < 8 || file_.at<uint32_t>(0) != kTraceMagic) throw Error("{}: not a trace", name_);
  if (const auto version = file_.at<uint32_t>(4); version != kTraceVersion)
    throw Error("{}: trace version {}, this program reads {}; record it again", name_, version, kTraceVersion);
  uint64_t at = 8;
  metadata_ = read_text(at);
  for (;;) {
    const auto bytes = file_.at<uint32_t>(at);
    if (bytes == 0) break;
    const Chunk chunk{at + 12, file_.at<uint32_t>(at + 4), bytes, file_.at<uint32_t>(at + 8)};
    if (bytes > kMaxChunk_bytes) throw Error("{}: chunk of {} bytes at offset {} (at most {})", name_, bytes, at, kMaxChunk_bytes);
    file_.range(chunk.offset, chunk.compressed_bytes);
    chunks_.push_back(chunk);
    at = chunk.offset + chunk.compressed_bytes;
  }
  at += 4;
  summary_ = read_text(at);
  if (at != file_.size()) throw Error("{}: {} bytes follow the end of the trace", name_, file_.size() - at);
}

std::string TraceReader::read_text(uint64_t& at) const {
  const auto size = file_.at<uint32_t>(at);
  const auto crc = file_.at<uint32_t>(at + 4);
  if (size > kMaxText_bytes) throw Error("{}: text of {} bytes at offset {} (at most {})", name_, size, at, kMaxText_bytes);
  const auto bytes = file_.range(at + 8, size);
  if (crc32_of(bytes) != crc) throw Error("{}: checksum of the text at offset {} does not match", name_, at);
  at += 8 + uint64_t{size};
  return {bytes.begin(), bytes.end()};
}

void TraceReader::replay(RetiredSink& sink) const {
  EventDecoder decoder(name_);
  std::vector<uint8_t> events;
  for (const Chunk& chunk : chunks_) {
    events.resize(chunk.bytes);
    const auto compressed = file_.range(chunk.offset, chunk.compressed_bytes);
    const size_t size = ZSTD_decompress(events.data(), events.size(), compressed.data(), compressed.size());
    if (ZSTD_isError(size) || size != chunk.bytes || crc32_of(events) != chunk.crc32)
      throw Error("{}: damaged chunk at offset {}", name_, chunk.offset);
    decoder.decode(events, sink);
  }
}

}  // namespace mcusim::trace
