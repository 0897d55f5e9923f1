// SPDX-License-Identifier: MIT
// A trace on disk (.mct): header, metadata, zstd-compressed chunks of events, end.
// docs/trace_format.md has the bytes.
//
// The writer streams and puts the file in place only when finished. The reader
// trusts nothing: every length is bounded before it is allocated, every chunk has
// a CRC-32 of its decompressed bytes, and the events are judged after that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memmap/base/bytes.h"
#include "memmap/base/file.h"
#include "traces/trace_codec.h"

namespace mcusim::trace {

inline constexpr uint32_t kTraceMagic = 0x5254434Du;  // "MCTR"
inline constexpr uint16_t kTraceVersion = 2;

// Passes the stream on to `next` (may be nullptr) and records it.
class TraceWriter : public RetiredSink {
 public:
  // `metadata`: JSON, what the reader needs to replay and to name things.
  TraceWriter(const std::string& path, const std::string& metadata, RetiredSink* next);

  void block_defined(const BlockInfo& info) override;
  void run(const BlockRun& run) override;
  void mark(const Mark& mark) override;
  void control(const Control& control) override;
  void exception(const Exception& exception) override;
  void window_start(const WindowStart& start) override;

  // `summary`: JSON known only at the end (totals, whether the guest saw time).
  void finish(const std::string& summary);
  uint64_t written_bytes() const { return file_.written_bytes(); }

 private:
  void flush_if_full();
  void write_chunk(const std::vector<uint8_t>& events);
  void write_text(const std::string& text);
  void word(uint32_t value);

  FileWriter file_;
  EventEncoder encoder_;
  RetiredSink* next_;
  std::vector<uint8_t> compressed_;
};

class TraceReader {
 public:
  explicit TraceReader(const std::string& path);  // throws Error: not a trace, version, truncated, damaged

  const std::string& metadata() const { return metadata_; }
  const std::string& summary() const { return summary_; }
  // Sends the whole stream; may be called again.
  void replay(RetiredSink& sink) const;

 private:
  struct Chunk {
    uint64_t offset;
    uint32_t compressed_bytes, bytes, crc32;
  };
  std::string read_text(uint64_t& at) const;

  std::string name_;
  std::vector<uint8_t> data_;
  ByteReader file_;
  std::string metadata_, summary_;
  std::vector<Chunk> chunks_;
};

}  // namespace mcusim::trace
