// SPDX-License-Identifier: MIT
// Zip reading for .npz. The idea: locate the end record from the back, walk the
// central directory, and never allocate more than deflate could really produce.
// Field offsets are those of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16.
#include "memmap/base/npz.h"

#include <zlib.h>

#include <algorithm>

#include "memmap/base/bytes.h"

namespace mcusim {
namespace {

constexpr uint32_t kEndMagic = 0x06054b50, kDirectoryMagic = 0x02014b50, kLocalMagic = 0x04034b50;
constexpr uint64_t kEnd_bytes = 22, kEntry_bytes = 46, kLocal_bytes = 30, kMaxComment_bytes = 65535;
// Deflate cannot expand by more than 1032:1 (zlib's technical notes).
constexpr uint64_t kMaxDeflateRatio = 1032, kDeflateSlack_bytes = 1024;

uint64_t find_end_record(const ByteReader& zip) {
  if (zip.size() < kEnd_bytes) throw Error("{}: too short for a zip archive", zip.name());
  const uint64_t last = zip.size() - kEnd_bytes;
  const uint64_t first = last > kMaxComment_bytes ? last - kMaxComment_bytes : 0;
  for (uint64_t at = last + 1; at-- > first;)
    if (zip.at<uint32_t>(at) == kEndMagic &&
        at + kEnd_bytes + zip.at<uint16_t>(at + 20) == zip.size())
      return at;
  throw Error("{}: not a whole zip archive (no end record)", zip.name());
}

ZipMember read_entry(const ByteReader& zip, uint64_t at, uint64_t directory) {
  if (zip.at<uint32_t>(at) != kDirectoryMagic)
    throw Error("{}: no directory entry at offset {}", zip.name(), at);
  ZipMember member;
  const auto text = zip.range(at + kEntry_bytes, zip.at<uint16_t>(at + 28));
  member.name.assign(text.begin(), text.end());
  const std::string place = zip.name() + ":" + member.name;
  if (zip.at<uint16_t>(at + 8) & 1) throw Error("{}: encrypted", place);
  member.method = zip.at<uint16_t>(at + 10);
  member.crc32 = zip.at<uint32_t>(at + 16);
  member.packed_bytes = zip.at<uint32_t>(at + 20);
  member.bytes = zip.at<uint32_t>(at + 24);
  const uint64_t local = zip.at<uint32_t>(at + 42);
  if (member.packed_bytes == UINT32_MAX || member.bytes == UINT32_MAX || local == UINT32_MAX)
    throw Error("{}: Zip64 member (4 GB or more) is not supported", place);
  if (member.method != 0 && member.method != 8)
    throw Error("{}: compression method {} (only stored 0 and deflated 8)", place, member.method);
  if (member.method == 0 && member.packed_bytes != member.bytes)
    throw Error("{}: stored in {} bytes but declares {}", place, member.packed_bytes, member.bytes);
  if (member.bytes > member.packed_bytes * kMaxDeflateRatio + kDeflateSlack_bytes)
    throw Error("{}: {} bytes cannot inflate to the {} declared", place, member.packed_bytes,
                member.bytes);
  if (zip.at<uint32_t>(local) != kLocalMagic)
    throw Error("{}: no local header at offset {}", place, local);
  member.data_offset =
      local + kLocal_bytes + zip.at<uint16_t>(local + 26) + zip.at<uint16_t>(local + 28);
  if (member.data_offset + member.packed_bytes > directory)
    throw Error("{}: {} bytes at offset {} reach into the directory at {}", place,
                member.packed_bytes, member.data_offset, directory);
  return member;
}

// Inflates into `out`, which has the size wanted; true when the stream ended.
bool inflate_into(std::span<const uint8_t> packed, std::vector<uint8_t>& out,
                  const std::string& place) {
  struct Stream : z_stream {
    Stream() : z_stream{} {}
    ~Stream() { inflateEnd(this); }
  } stream;
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error("{}: zlib cannot start", place);
  stream.next_in = const_cast<Bytef*>(packed.data());  // zlib's interface is not const-correct
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = inflate(&stream, Z_SYNC_FLUSH);
  // A stream that fills the output exactly may still owe its end marker.
  if (state == Z_STREAM_END && stream.avail_in != 0)
    throw Error("{}: {} bytes after the end of the deflate stream", place, stream.avail_in);
  const bool starved = state == Z_BUF_ERROR && stream.avail_out == 0;
  if (state != Z_OK && state != Z_STREAM_END && !starved)
    throw Error("{}: broken deflate stream: {}", place,
                stream.msg ? stream.msg : "data ends early");
  if (stream.avail_out != 0)
    throw Error("{}: inflates to {} bytes, {} declared", place, out.size() - stream.avail_out,
                out.size());
  if (state == Z_STREAM_END) return true;
  uint8_t beyond;
  stream.next_out = &beyond;
  stream.avail_out = 1;
  return inflate(&stream, Z_SYNC_FLUSH) == Z_STREAM_END && stream.avail_out == 1 &&
         stream.avail_in == 0;
}

}  // namespace

std::vector<ZipMember> zip_members(std::span<const uint8_t> file, const std::string& name) {
  const ByteReader zip(file, name);
  const uint64_t end = find_end_record(zip);
  const uint16_t count = zip.at<uint16_t>(end + 10);
  const uint64_t directory = zip.at<uint32_t>(end + 16);
  if (zip.at<uint16_t>(end + 4) != 0 || zip.at<uint16_t>(end + 8) != count)
    throw Error("{}: archive in several parts is not supported", name);
  if (directory > end || uint64_t{zip.at<uint32_t>(end + 12)} > end - directory)
    throw Error("{}: directory at offset {} reaches past its end record at {}", name, directory,
                end);
  std::vector<ZipMember> members;
  uint64_t at = directory;
  for (uint16_t i = 0; i < count; ++i) {
    members.push_back(read_entry(zip, at, directory));
    at += kEntry_bytes + zip.at<uint16_t>(at + 28) + zip.at<uint16_t>(at + 30) +
          zip.at<uint16_t>(at + 32);
    if (at > end) throw Error("{}: directory entry {} reaches past the end record", name, i);
  }
  return members;
}

std::vector<uint8_t> zip_read(std::span<const uint8_t> file, const ZipMember& member,
                              uint64_t limit_bytes, const std::string& name) {
  const std::string place = name + ":" + member.name;
  const ByteReader zip(file, name);
  const auto packed = zip.range(member.data_offset, member.packed_bytes);
  std::vector<uint8_t> out(std::min<uint64_t>(limit_bytes, member.bytes));
  const bool whole = out.size() == member.bytes;
  if (member.method == 0) {
    std::copy_n(packed.begin(), out.size(), out.begin());
  } else {
    const bool ended = inflate_into(packed, out, place);
    if (ended != whole)
      throw Error("{}: inflates to other than the {} bytes declared", place, member.bytes);
  }
  if (whole && ::crc32(0, out.data(), static_cast<uInt>(out.size())) != member.crc32)
    throw Error("{}: checksum differs, the archive is damaged", place);
  return out;
}

}  // namespace mcusim
