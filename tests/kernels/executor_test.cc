// SPDX-License-Identifier: MIT
// The executor: marks around each operator, refusals that the target makes too,
// and a container that stays as it was (it lies in flash).
#include "kernels/executor.h"

#include "memmap/base/error.h"
#include "tests/support/run_both.h"

namespace mcusim {
namespace {

using testing::Random;
using testing::Values;

struct Space {
  std::vector<uint64_t> file, arena, scratch;

  explicit Space(const std::vector<uint8_t>& bytes)
      : file((bytes.size() + 7) / 8), arena(1 << 13), scratch(1 << 13) {
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(file.data()));
  }
  net::Header& header() { return *reinterpret_cast<net::Header*>(file.data()); }
  RunStatus run(const ExecutorPort& port = {}) {
    return run_network({reinterpret_cast<const uint8_t*>(file.data()),
                        reinterpret_cast<uint8_t*>(arena.data()),
                        static_cast<uint32_t>(8 * arena.size()),
                        reinterpret_cast<uint8_t*>(scratch.data()),
                        static_cast<uint32_t>(8 * scratch.size())},
                       port);
  }
};

IntNet two_ops() {
  Random random(4);
  IntNet net;
  const RowKey conv{net::Family::conv, 8, 4, 4, net::Contract::icn_floor};
  const RowKey pad{net::Family::pad, 2, 0, 2, net::Contract::none};
  for (const RowKey& key : {conv, pad})
    testing::append(net, testing::random_op(key, random, {.small = true}));
  return net;
}

TEST(Executor, MarksTheBeginAndEndOfEachOperator) {
  Space space(encode(two_ops()));
  std::vector<int> marks;
  const ExecutorPort port{
      [](void* to, uint32_t i) { static_cast<std::vector<int>*>(to)->push_back(10 + static_cast<int>(i)); },
      [](void* to, uint32_t i) { static_cast<std::vector<int>*>(to)->push_back(20 + static_cast<int>(i)); },
      &marks};
  EXPECT_EQ(space.run(port), RunStatus::ok);
  EXPECT_EQ(marks, (std::vector<int>{10, 20, 11, 21}));
}

TEST(Executor, LeavesTheContainerAlone) {
  Space space(encode(two_ops()));
  const auto before = space.file;
  EXPECT_EQ(space.run(), RunStatus::ok);
  EXPECT_EQ(space.file, before);
}

TEST(HostExecutor, RefusesValuesThatDoNotFitTheTensor) {
  HostExecutor executor(encode(two_ops()));
  const auto two_bit = std::ranges::find(executor.net().tensors, 2, &IntTensor::bits);
  const auto id = static_cast<int>(two_bit - executor.net().tensors.begin());
  Values values(size_t{two_bit->h} * two_bit->w * two_bit->c, 3);
  executor.write_tensor(id, values);
  EXPECT_EQ(executor.read_tensor(id), values);
  values.back() = 4;
  EXPECT_THROW(executor.write_tensor(id, values), Error);
  values.pop_back();
  EXPECT_THROW(executor.write_tensor(id, values), Error);
  EXPECT_THROW(executor.read_tensor(99), Error);
}

TEST(Executor, RefusesWhatItCannotRun) {
  const auto file = encode(two_ops());
  const auto after = [&](auto change) {
    Space space(file);
    change(space);
    return space.run();
  };
  EXPECT_EQ(after([](Space& s) { s.header().magic = 0; }), RunStatus::bad_magic);
  EXPECT_EQ(after([](Space& s) { s.header().version = 2; }), RunStatus::bad_version);
  EXPECT_EQ(after([](Space& s) { s.header().arena_bytes = 1 << 20; }), RunStatus::arena_too_small);
  EXPECT_EQ(after([](Space& s) { s.header().scratch_bytes = 1 << 20; }), RunStatus::scratch_too_small);
  EXPECT_EQ(after([](Space& s) {
              auto* op = reinterpret_cast<net::Op*>(reinterpret_cast<uint8_t*>(s.file.data()) +
                                                    s.header().ops_offset);
              op->weight_bits = 3;
            }),
            RunStatus::missing_kernel);
}

}  // namespace
}  // namespace mcusim
