// SPDX-License-Identifier: MIT
// Law 2 on the target: for every row of the kernel table, small random networks
// built as an image and run on the simulated machine give the naive twin's bytes
// in every tensor; the same images under QEMU print the same outputs, and both
// engines retire equally many instructions.
//
// Many independent operators share one image, so that linking and start-up are
// paid once per family.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "kernels/executor.h"
#include "kernels/host/names.h"
#include "kernels/host/tensor_io.h"
#include "sim/image/image.h"
#include "tests/e2e/firmware.h"
#include "tests/e2e/qemu.h"
#include "tests/support/run_both.h"

namespace mcusim {
namespace {

using testing::Random;
using testing::Values;

// A network of independent operators, its inputs, and what the twin makes of them.
struct Batch {
  IntNet net;
  std::vector<uint8_t> file;
  std::vector<Values> inputs, twin;
};

std::vector<RowKey> rows_of(net::Family family) {
  std::vector<RowKey> keys;
  for (uint32_t i = 0; i < row_count(); ++i) {
    const RowKey key = row_key(row_at(i).packed_key);
    if (key.family == family) keys.push_back(key);
  }
  return keys;
}

Batch make_batch(const std::vector<RowKey>& keys, int per_row, uint64_t seed, bool deep = false) {
  Random random(seed);
  Batch batch;
  for (const RowKey& key : keys)
    for (int i = 0; i < per_row; ++i)
      testing::append(batch.net, testing::random_op(key, random, {.small = true, .deep = deep}));
  batch.net.name = "batch";
  batch.file = encode(batch.net);
  batch.inputs = testing::random_inputs(batch.net, random);
  batch.twin = reference::run(batch.net, batch.inputs);
  return batch;
}

TensorStrides strides_of(const Batch& batch, int id) {
  const net::Tensor& t = tensors_of(batch.file.data())[id];
  return {t.row_stride_bytes, t.pixel_stride_bytes};
}

std::vector<uint8_t> packed(const Batch& batch, int id, const Values& values) {
  const IntTensor& t = batch.net.tensors[id];
  std::vector<uint8_t> bytes(storage_bytes(t));
  store_tensor(t, strides_of(batch, id), values, bytes);
  return bytes;
}

std::vector<uint8_t> packed_inputs(const Batch& batch) {
  std::vector<uint8_t> all;
  for (size_t i = 0; i < batch.inputs.size(); ++i) {
    const auto bytes = packed(batch, batch.net.inputs[i], batch.inputs[i]);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

// The text an image prints when its outputs are the twin's.
std::string expected_dump(const Batch& batch) {
  std::string text;
  for (const int id : batch.net.outputs) {
    const IntTensor& t = batch.net.tensors[id];
    const auto bytes = packed(batch, id, batch.twin[id]);
    for (size_t i = 0; i < bytes.size(); ++i) {
      text += fmt::format("{:02x}", bytes[i]);
      if ((i + 1) % pixel_bytes(t.c, t.bits) == 0) text += '\n';
    }
  }
  return text;
}

// Runs the batch on the board and compares the bytes of every root tensor, pad
// bits and tensors that no operator may touch included.
void expect_machine_equals_twin(const Batch& batch, const Board& board, const std::string& elf) {
  const ImageFacts facts = build_image(batch.file, board, {}, elf);
  MachineOptions options;
  options.max_instructions = 400'000'000;
  Machine machine(board, options);
  machine.load(load_program(elf));
  for (size_t i = 0; i < batch.inputs.size(); ++i) {
    const int id = batch.net.inputs[i];
    machine.write_memory(facts.arena_base + batch.net.tensors[id].arena_offset,
                         packed(batch, id, batch.inputs[i]));
  }
  const RunResult result = machine.run();
  ASSERT_EQ(result.reason, EndReason::exited) << result.message;
  ASSERT_EQ(result.exit_code, 0);
  const auto arena = machine.read_memory(facts.arena_base, facts.arena_bytes);
  std::map<int, std::string> writer;  // operator by root, for the message
  for (const IntOp& op : batch.net.ops) {
    int root = op.out;
    while (batch.net.tensors[root].parent >= 0) root = batch.net.tensors[root].parent;
    writer[root] = op.name;
  }
  for (size_t id = 0; id < batch.net.tensors.size(); ++id) {
    const IntTensor& t = batch.net.tensors[id];
    if (t.parent >= 0) continue;
    const auto expected = packed(batch, static_cast<int>(id), batch.twin[id]);
    const auto actual = arena.begin() + t.arena_offset;
    if (std::equal(expected.begin(), expected.end(), actual)) continue;
    const auto at = std::mismatch(expected.begin(), expected.end(), actual).first - expected.begin();
    ADD_FAILURE() << "tensor " << t.name << " of " << writer[static_cast<int>(id)] << ": byte " << at
                  << ": machine " << int{actual[at]} << ", twin " << int{expected[at]};
  }
}

constexpr net::Family kFamilies[] = {
    net::Family::conv,     net::Family::pointwise, net::Family::depthwise,
    net::Family::fully_connected, net::Family::avg_pool, net::Family::max_pool,
    net::Family::add,      net::Family::pad,       net::Family::reshape};

class Law2BitExactnessOnTarget : public ::testing::TestWithParam<net::Family> {
 protected:
  const TemporaryDirectory directory_;
  const std::string elf_ = directory_.file("fw.elf");
};

TEST_P(Law2BitExactnessOnTarget, MachineEqualsNaiveTwin) {
  const auto keys = rows_of(GetParam());
  ASSERT_FALSE(keys.empty());
  const int per_row = keys.size() > 20 ? 3 : 10;
  const auto batch = make_batch(keys, per_row, 17 + static_cast<uint64_t>(GetParam()));
  expect_machine_equals_twin(batch, load_board("stm32h743"), elf_);
}

TEST_P(Law2BitExactnessOnTarget, QemuEqualsNaiveTwin) {
  if (!testing::have_qemu()) GTEST_SKIP() << "qemu-system-arm is not installed";
  const auto batch = make_batch(rows_of(GetParam()), 2, 71 + static_cast<uint64_t>(GetParam()));
  ImageOptions options;
  options.input = packed_inputs(batch);
  options.dump_outputs = true;
  build_image(batch.file, load_board("mps2_an500"), options, elf_);
  EXPECT_EQ(testing::run_qemu(elf_, directory_.path()), expected_dump(batch));
}

INSTANTIATE_TEST_SUITE_P(EveryRow, Law2BitExactnessOnTarget, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(family_name(row.param)); });

// Sums of several hundred products: the matrix cores flush their accumulators.
class Law2DeepLayersOnTarget : public ::testing::TestWithParam<net::Family> {};

TEST_P(Law2DeepLayersOnTarget, MachineEqualsNaiveTwin) {
  const TemporaryDirectory directory;
  const auto batch = make_batch(rows_of(GetParam()), 2, 37 + static_cast<uint64_t>(GetParam()), true);
  expect_machine_equals_twin(batch, load_board("stm32h743"), directory.file("fw.elf"));
}

INSTANTIATE_TEST_SUITE_P(EveryRow, Law2DeepLayersOnTarget,
                         ::testing::Values(net::Family::conv, net::Family::pointwise,
                                           net::Family::fully_connected),
                         [](const auto& row) { return std::string(family_name(row.param)); });

TEST(Law2, QemuAndMachineRetireEquallyManyInstructions) {
  if (!testing::have_qemu()) GTEST_SKIP() << "qemu-system-arm is not installed";
  const Board board = load_board("mps2_an500");
  const TemporaryDirectory directory;
  const std::string elf = directory.file("fw.elf");
  // One row of every family and contract, as far as one log bears.
  std::map<std::pair<net::Family, net::Contract>, RowKey> chosen;
  for (uint32_t i = 0; i < row_count(); ++i) {
    const RowKey key = row_key(row_at(i).packed_key);
    chosen.emplace(std::pair(key.family, key.contract), key);
  }
  std::vector<RowKey> keys;
  for (const auto& [pair, key] : chosen) keys.push_back(key);
  const Batch batch = make_batch(keys, 1, 5);
  ImageOptions options;
  options.input = packed_inputs(batch);
  options.dump_outputs = true;
  build_image(batch.file, board, options, elf);
  const auto run = testing::run_machine(board, elf);
  ASSERT_EQ(run.result.reason, EndReason::exited) << run.result.message;
  EXPECT_EQ(run.console, expected_dump(batch));
  EXPECT_LT(run.result.instructions, 2'000'000u);
  EXPECT_EQ(run.result.instructions, testing::qemu_instructions(elf, directory.path()));
}

}  // namespace
}  // namespace mcusim
