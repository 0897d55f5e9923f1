// SPDX-License-Identifier: MIT
// Damaged containers: each is refused in one sentence, or accepted, and then runs
// without leaving its memory. The last has its full force under the sanitizers.
#include "tests/kernels/container_bytes.h"

namespace mcusim {
namespace {

using testing::Bytes;
using testing::header;
using testing::one_of_each;
using testing::Random;
using testing::refusal;
using testing::seal;
using ::testing::HasSubstr;

template <typename T>
void poke(Bytes& file, size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
  seal(file);
}

TEST(ContainerDamage, TruncationIsRefusedAtEveryLength) {
  const Bytes file = encode(one_of_each(4));
  for (size_t length = 0; length < file.size(); length += 64) {
    const Bytes cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_NE(refusal(cut), "") << length;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_THAT(refusal(longer), HasSubstr("file_bytes"));
}

TEST(ContainerDamage, AnotherVersionOrFileIsNamed) {
  Bytes file = encode(one_of_each(4));
  poke(file, offsetof(net::Header, version), uint16_t{2});
  EXPECT_THAT(refusal(file), HasSubstr("version: 2, this program reads 1"));
  EXPECT_THAT(refusal(Bytes(200, 0x55)), HasSubstr("magic"));
}

TEST(ContainerDamage, AFlippedBitWithoutTheChecksumIsRefused) {
  const Bytes file = encode(one_of_each(5));
  Random random(5);
  for (int i = 0; i < 200; ++i) {
    Bytes damaged = file;
    const auto at = static_cast<size_t>(random.in(0, static_cast<int64_t>(file.size()) - 1));
    damaged[at] = static_cast<uint8_t>(damaged[at] ^ 1u << random.in(0, 7));
    EXPECT_NE(refusal(damaged), "") << at;
  }
}

// Damages a few places: a flipped bit, a random byte, or a field set to a value
// at the edge of something or moved by one.
void damage(Bytes& file, size_t end, Random& random) {
  const auto last = static_cast<int64_t>(end) - 1;
  for (int64_t places = random.in(1, 3); places > 0; --places) {
    const auto at = static_cast<size_t>(random.in(0, last));
    const auto field = at / 4 * 4;
    uint32_t word = 0;
    std::memcpy(&word, file.data() + std::min(field, file.size() - 4), sizeof word);
    constexpr uint32_t kEdges[] = {0,      1,          0x7F,       0x80,       0xFF,      0x100,
                                   0xFFFF, 0x10000,    0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF8};
    switch (random.in(0, 4)) {
      case 0: file[at] = static_cast<uint8_t>(file[at] ^ 1u << random.in(0, 7)); continue;
      case 1: file[at] = static_cast<uint8_t>(random.in(0, 255)); continue;
      case 2: word = kEdges[random.in(0, 11)]; break;
      case 3: word += random.coin() ? 1u : ~0u; break;
      default: word += random.coin() ? 0x10000u : ~0xFFFFu; break;  // the upper half by one
    }
    std::memcpy(file.data() + std::min(field, file.size() - 4), &word, sizeof word);
  }
  seal(file);
}

// The validator judges damaged files with a good checksum, and what it accepts
// runs and equals the twin. Nothing is asserted about which files are accepted.
TEST(ContainerDamage, FuzzedFilesAreRefusedOrRunInsideTheirMemory) {
  Random random(99);
  int accepted = 0, refused = 0;
  for (uint64_t round = 0; round < 100; ++round) {
    const Bytes file = encode(one_of_each(100 + round));
    for (int i = 0; i < 100; ++i) {
      Bytes damaged = file;
      damage(damaged, random.coin(4) ? file.size() : header(file).blobs_offset, random);
      if (!refusal(damaged).empty()) {
        ++refused;
        continue;
      }
      ++accepted;
      HostExecutor executor(damaged);
      const auto inputs = testing::random_inputs(executor.net(), random);
      const auto kernels = testing::run_kernels(executor, inputs);
      const auto twin = reference::run(executor.net(), inputs);
      for (const int id : executor.net().outputs)
        EXPECT_EQ(kernels[id], twin[id]) << executor.net().tensors[id].name;
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace mcusim
