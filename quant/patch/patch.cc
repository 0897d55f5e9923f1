// SPDX-License-Identifier: MIT
#include "quant/patch/patch.h"

#include <charconv>
#include <map>
#include <tuple>

#include "memmap/base/error.h"
#include "quant/patch/stage.h"
#include "quant/patch/tiles.h"

namespace mcusim::patch {
namespace {

// Reads "number" up to `end`; false when it is none.
bool number(std::string_view& text, char end, uint32_t& value) {
  const auto [rest, cause] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<size_t>(rest - text.data());
  if (cause != std::errc() || value == 0 || value > 1000) return false;
  if (end != 0 && (used == text.size() || *rest != end)) return false;
  text.remove_prefix(used + (end != 0));
  return true;
}

class Rewriter {
 public:
  Rewriter(const IntNet& net, const Block& block, const Choice& choice)
      : net_(net), block_(block), choice_(choice) {}

  Patched run() {
    IntNet& to = result_.net;
    to.name = net_.name;
    result_.stage_ops = block_.op_count;
    keep_whole_tensors();
    const auto regions = split(net_.tensors[block_.output], choice_.rows, choice_.columns);
    for (size_t i = 0; i < regions.size(); ++i) {
      if (to.ops.size() + block_.op_count > net::kMaxOps)
        throw Error("patch: {} tiles of {} operators are more than a container's {}",
                    regions.size(), block_.op_count, net::kMaxOps);
      add_tile(i, make_tile(net_, block_.op_count, regions[i], Edge::cut));
    }
    result_.tile_ops = to.ops.size();
    for (size_t i = block_.op_count; i < net_.ops.size(); ++i) {
      IntOp op = net_.ops[i];
      op.in0 = whole_.at(op.in0);
      if (op.in1 >= 0) op.in1 = whole_.at(op.in1);
      op.out = whole_.at(op.out);
      to.ops.push_back(std::move(op));
      result_.tile_of.push_back(-1);
    }
    for (const int id : net_.inputs) to.inputs.push_back(whole_.at(id));
    for (const int id : net_.outputs) to.outputs.push_back(whole_.at(id));
    result_.stage_output = whole_.at(block_.output);
    return std::move(result_);
  }

 private:
  // Everything but what only exists inside tiles.
  void keep_whole_tensors() {
    std::vector<bool> inside(net_.tensors.size());
    for (size_t i = 0; i + 1 < block_.op_count; ++i) inside[net_.ops[i].out] = true;
    for (size_t id = 0; id < net_.tensors.size(); ++id) {
      if (inside[id]) continue;
      whole_[static_cast<int>(id)] = add(net_.tensors[id]);
    }
  }

  int add(IntTensor tensor) {
    result_.net.tensors.push_back(std::move(tensor));
    return static_cast<int>(result_.net.tensors.size()) - 1;
  }

  void add_tile(size_t index, const Tile& tile) {
    const std::string suffix =
        fmt::format("@{},{}", index / choice_.columns, index % choice_.columns);
    std::map<int, int> own;  // tensor of the network -> the tile's tensor
    std::map<std::tuple<int, int64_t, int64_t, int64_t, int64_t>, int> views;
    // The tile's tensor, the whole one, or a view of either.
    const auto tensor_for = [&](int id, const Region& region) {
      const bool is_whole = whole_.count(id) > 0;
      const int parent = is_whole ? whole_.at(id) : own.at(id);
      const Region at = is_whole ? whole_region(id) : tile.computed[id];
      if (region == at) return parent;
      const auto [known, is_new] = views.try_emplace(
          {parent, region.y.first, region.y.last, region.x.first, region.x.last}, -1);
      if (!is_new) return known->second;
      IntTensor view = result_.net.tensors[parent];
      view.parent = parent;
      view.origin_y = static_cast<uint32_t>(region.y.first - at.y.first);
      view.origin_x = static_cast<uint32_t>(region.x.first - at.x.first);
      view.h = static_cast<uint32_t>(region.y.size());
      view.w = static_cast<uint32_t>(region.x.size());
      view.name = fmt::format("{}{}v{}", net_.tensors[id].name, suffix, views.size());
      return known->second = add(std::move(view));
    };
    for (size_t i = 0; i < block_.op_count; ++i) {
      const TileOp& part = tile.ops[i];
      IntOp op = net_.ops[i];
      if (!whole_.count(op.out)) {
        IntTensor out = net_.tensors[op.out];
        out.name += suffix;
        out.h = static_cast<uint32_t>(part.out.y.size());
        out.w = static_cast<uint32_t>(part.out.x.size());
        own[op.out] = add(std::move(out));
      }
      const int in1 = op.in1;
      op.name += suffix;
      op.in0 = tensor_for(op.in0, part.in);
      if (in1 >= 0) op.in1 = tensor_for(in1, part.in);
      op.out = tensor_for(op.out, part.out);
      op.pad_top = part.pad_top;
      op.pad_left = part.pad_left;
      op.pad_bottom = part.pad_bottom;
      op.pad_right = part.pad_right;
      result_.net.ops.push_back(std::move(op));
      result_.tile_of.push_back(static_cast<int>(index));
    }
  }

  Region whole_region(int id) const {
    return {{0, net_.tensors[id].h}, {0, net_.tensors[id].w}};
  }

  const IntNet& net_;
  const Block& block_;
  const Choice& choice_;
  std::map<int, int> whole_;  // tensor of the network -> of the result
  Patched result_;
};

}  // namespace

Choice parse_choice(const std::string& text) {
  Choice choice;
  std::string_view rest = text;
  if (!number(rest, 'x', choice.rows) || !number(rest, '@', choice.columns) ||
      !number(rest, 0, choice.blocks) || !rest.empty())
    throw Error("patch: '{}' is not ROWSxCOLUMNS@BLOCKS, as in 4x4@5", text);
  return choice;
}

std::string format_choice(const Choice& choice) {
  return fmt::format("{}x{}@{}", choice.rows, choice.columns, choice.blocks);
}

Patched patched(const IntNet& net, const Choice& choice) {
  const auto blocks = blocks_of(net);
  if (choice.blocks == 0 || choice.blocks > blocks.size())
    throw Error("patch: {} blocks; {} has {} that tiles can compute", choice.blocks,
                net.name.empty() ? "the network" : net.name, blocks.size());
  return Rewriter(net, blocks[choice.blocks - 1], choice).run();
}

}  // namespace mcusim::patch
