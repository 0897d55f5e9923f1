// SPDX-License-Identifier: MIT
#include "sim/run/network_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "kernels/host/tensor_io.h"
#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "sim/image/tool.h"
#include "sim/run/layer_rows.h"

namespace mcusim {
namespace {

// Guest memory of one network's tensors.
class TensorMemory {
 public:
  TensorMemory(Machine& machine, const IntNet& net, const Container& container, uint32_t arena)
      : machine_(machine), net_(net), container_(container), arena_(arena) {}

  void write(int id, const std::vector<uint8_t>& values) const {
    std::vector<uint8_t> bytes = machine_.read_memory(address(id), extent_bytes(id));
    store_tensor(tensor(id), strides(id), values, bytes);
    machine_.write_memory(address(id), bytes);
  }
  std::vector<uint8_t> read(int id) const {
    return fetch_tensor(tensor(id), strides(id), machine_.read_memory(address(id), extent_bytes(id)));
  }

 private:
  const IntTensor& tensor(int id) const { return net_.tensors[static_cast<size_t>(id)]; }
  const net::Tensor& stored(int id) const { return container_.tensors[static_cast<size_t>(id)]; }
  uint32_t address(int id) const { return arena_ + stored(id).arena_offset; }
  TensorStrides strides(int id) const { return {stored(id).row_stride_bytes, stored(id).pixel_stride_bytes}; }
  uint32_t extent_bytes(int id) const {
    const auto& t = stored(id);
    return (t.h - 1) * t.row_stride_bytes + (t.w - 1) * t.pixel_stride_bytes + pixel_bytes(t.c, t.bits);
  }

  Machine& machine_;
  const IntNet& net_;
  const Container& container_;
  const uint32_t arena_;
};

// Compares each operator's output with the naive twin as the run goes on and keeps
// the first difference.
class Verifier {
 public:
  Verifier(const IntNet& net, const std::vector<std::vector<uint8_t>>& inputs)
      : net_(net), expected_(reference::run(net, inputs)) {}

  void layer_end(uint32_t op_index, const TensorMemory& memory) {
    if (op_index >= net_.ops.size()) return;
    ++compared_;
    if (difference_) return;
    const IntOp& op = net_.ops[op_index];
    const auto& want = expected_[static_cast<size_t>(op.out)];
    const auto got = memory.read(op.out);
    const auto [a, b] = std::mismatch(want.begin(), want.end(), got.begin());
    if (a == want.end()) return;
    const auto at = static_cast<uint64_t>(a - want.begin());
    const IntTensor& t = net_.tensors[static_cast<size_t>(op.out)];
    difference_ = fmt::format("operator {} ({}) differs from the naive twin first at ({}, {}, {}): {} instead of {}",
                              op_index, op.name, at / t.c / t.w, at / t.c % t.w, at % t.c, *b, *a);
  }
  bool agrees() const { return !difference_ && compared_ == net_.ops.size(); }
  std::string verdict() const {
    if (difference_) return *difference_;
    if (compared_ != net_.ops.size())
      return fmt::format("only {} of {} operators finished", compared_, net_.ops.size());
    return fmt::format("all {} operators equal the naive twin", compared_);
  }

 private:
  const IntNet& net_;
  const std::vector<reference::Values> expected_;
  size_t compared_ = 0;
  std::optional<std::string> difference_;
};

// Distinct bytes of [base, base + size) that the guest touched, up to the highest.
uint64_t touched_extent(const Machine& machine, uint32_t base, uint64_t size_bytes) {
  for (uint64_t extent = size_bytes; extent > 0; --extent)
    if (machine.touched(base + static_cast<uint32_t>(extent - 1))) return extent;
  return 0;
}

}  // namespace

NetworkRun::NetworkRun(const Board& board, std::vector<uint8_t> file, NetworkRunOptions options)
    : board_(board), file_(std::move(file)), options_(std::move(options)), net_(decode(file_.data(), file_.size())),
      container_(read_container(file_)) {
  const TemporaryDirectory directory;
  const std::string elf = directory.file("firmware.elf");
  facts_ = build_image(file_, board_, options_.image, elf);
  program_ = load_program(elf);
  program_.name = net_.name;
}

NetworkRun::Result NetworkRun::run(const std::vector<std::vector<uint8_t>>& inputs) const {
  check(inputs.size() == net_.inputs.size(), "one value array per network input");
  const uint32_t arena = program_.symbol_address("mcusim_arena");
  std::optional<Verifier> verifier;
  if (options_.verify) verifier.emplace(net_, inputs);

  SimulationOptions simulation_options = options_.simulation;
  std::optional<TensorMemory> memory;
  if (verifier)
    simulation_options.on_layer_end = [&, also = options_.simulation.on_layer_end](uint32_t op) {
      verifier->layer_end(op, *memory);
      if (also) also(op);
    };
  report::Run& facts = simulation_options.facts;
  facts.is_network = true;
  facts.network = net_.name;
  facts.container_bytes = file_.size();
  facts.image_bytes = facts_.image_bytes;
  facts.code_bytes = facts_.image_bytes - static_cast<uint32_t>(file_.size());
  facts.layers = layer_rows(net_, container_, Profile{});
  for (const auto& layer : facts.layers) facts.macs += layer.macs;
  facts.arena = arena_slots(net_);
  facts.arena_bytes_8bit = arena_bytes_8bit(net_);
  Simulation simulation(board_, simulation_options);
  memory.emplace(simulation.machine(), net_, container_, arena);
  simulation.load(program_);
  for (size_t i = 0; i < inputs.size(); ++i) memory->write(net_.inputs[i], inputs[i]);

  Result result;
  report::Run& report = result.report;
  report = simulation.run();
  report.is_network = true;
  report.network = facts.network;
  report.container_bytes = facts.container_bytes;
  report.image_bytes = facts.image_bytes;
  report.code_bytes = facts.code_bytes;
  report.macs = facts.macs;
  report.arena = facts.arena;
  report.arena_bytes_8bit = facts.arena_bytes_8bit;
  report.layers = layer_rows(net_, container_, simulation.profile());
  report.memories = memories(simulation.machine(), arena);
  report::check_conservation(report);
  for (int id : net_.outputs) result.outputs.push_back(memory->read(id));
  if (report.end == end_reason_name(EndReason::exited) && !net_.outputs.empty())
    report.top = top_five(net_.tensors[static_cast<size_t>(net_.outputs[0])], result.outputs[0]);
  if (verifier) {
    report.verify = verifier->verdict();
    result.verified = verifier->agrees();
  }
  simulation.finish(report);
  return result;
}

std::vector<report::Memory> NetworkRun::memories(const Machine& machine, uint32_t arena) const {
  const uint32_t scratch = program_.symbol_address("mcusim_scratch");
  const StackUse stack = machine.stack_use();
  const Region& code = board_.region(facts_.code_region);
  // Behind the arena lies nothing but the stack, where they share a region.
  const Region& region = board_.region(facts_.arena_region);
  const uint32_t arena_room =
      (region.contains(facts_.stack_limit) ? facts_.stack_limit : region.base + region.size_bytes) - arena;
  std::vector<report::Memory> out = {
      {facts_.code_region, "image", facts_.image_bytes, program_.bytes_inside(code.base, code.size_bytes),
       facts_.flash_limit_bytes, code.base},
      {facts_.arena_region, "arena", net_.arena_bytes, touched_extent(machine, arena, arena_room),
       facts_.arena_limit_bytes, arena},
      {facts_.scratch_region, "scratch", container_.header.scratch_bytes,
       touched_extent(machine, scratch, container_.header.scratch_bytes), facts_.scratch_limit_bytes,
       scratch},
      {facts_.scratch_region, "stack", 0, stack.used_bytes(), facts_.stack_top - facts_.stack_limit,
       facts_.stack_limit}};
  if (!facts_.kernels_region.empty()) {
    const uint32_t kernels = program_.symbol_address("__fast_code_start");
    out.insert(out.begin() + 1, {facts_.kernels_region, "kernels", facts_.kernels_bytes,
                                 touched_extent(machine, kernels, facts_.kernels_bytes),
                                 board_.region(facts_.kernels_region).size_bytes, kernels});
  }
  if (facts_.weights_region != facts_.code_region)
    out.insert(out.begin() + 1, {facts_.weights_region, "weights", facts_.container_bytes,
                                 touched_extent(machine, facts_.weights_base, facts_.container_bytes),
                                 board_.region(facts_.weights_region).size_bytes, facts_.weights_base});
  return out;
}

}  // namespace mcusim
