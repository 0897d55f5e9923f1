// SPDX-License-Identifier: MIT
#include "quant/train/checkpoint.h"

#include <cstring>
#include <type_traits>

#include "memmap/base/bytes.h"
#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim::train {
namespace {

constexpr char kMagic[8] = {'m', 'c', 'u', 't', 'r', 'a', 'i', '1'};

// Little-endian: magic, hash of what follows, fingerprint, then every vector as
// count and items.
class Writer {
 public:
  template <typename T>
  void number(const T& value) {
    const auto* first = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), first, first + sizeof(T));
  }
  template <typename T>
  void vector(const std::vector<T>& values) {
    number(uint64_t{values.size()});
    for (const auto& value : values) number(value);
  }
  std::vector<uint8_t> bytes;
};

class Reader {
 public:
  explicit Reader(const ByteReader& bytes, uint64_t at) : bytes_(bytes), at_(at) {}
  template <typename T>
  void number(T& value) {
    value = bytes_.at<T>(at_);
    at_ += sizeof(T);
  }
  template <typename T>
  void vector(std::vector<T>& values) {
    uint64_t count = 0;
    number(count);
    if (count > bytes_.size() / sizeof(T)) throw Error("{}: {} values", bytes_.name(), count);
    values.resize(count);
    for (auto& value : values) number(value);
  }

 private:
  const ByteReader& bytes_;
  uint64_t at_;
};

static_assert(std::is_trivially_copyable_v<EpochResult> && sizeof(EpochResult) == 24);

template <typename Archive, typename C>
void visit(Archive& archive, C& checkpoint) {
  archive.number(checkpoint.fingerprint);
  archive.vector(checkpoint.epochs);
  archive.vector(checkpoint.state);
  archive.vector(checkpoint.first_moments);
  archive.vector(checkpoint.second_moments);
  archive.vector(checkpoint.best_state);
}

}  // namespace

uint64_t fingerprint(const void* bytes, size_t count, uint64_t hash) {
  const auto* values = static_cast<const uint8_t*>(bytes);
  for (size_t i = 0; i < count; ++i) hash = (hash ^ values[i]) * 0x100000001B3u;
  return hash;
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  Writer body;
  visit(body, checkpoint);
  Writer whole;
  whole.number(kMagic);
  whole.number(fingerprint(body.bytes.data(), body.bytes.size()));
  whole.bytes.insert(whole.bytes.end(), body.bytes.begin(), body.bytes.end());
  write_file(path, whole.bytes);
}

Checkpoint read_checkpoint(const std::string& path) {
  const auto file = read_file(path);
  const ByteReader bytes(file, path);
  constexpr size_t kBody = sizeof kMagic + sizeof(uint64_t);
  if (file.size() < kBody || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0)
    throw Error("{}: not a training checkpoint", path);
  if (bytes.at<uint64_t>(sizeof kMagic) != fingerprint(file.data() + kBody, file.size() - kBody))
    throw Error("{}: a damaged checkpoint (its checksum differs)", path);
  Checkpoint checkpoint;
  Reader reader(bytes, kBody);
  visit(reader, checkpoint);
  return checkpoint;
}

}  // namespace mcusim::train
