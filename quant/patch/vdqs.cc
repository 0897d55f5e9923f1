// SPDX-License-Identifier: MIT
#include "quant/patch/vdqs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "memmap/base/error.h"
#include "quant/pack/place.h"

namespace mcusim::patch {
namespace {

constexpr uint8_t kBits[] = {8, 4, 2};
constexpr size_t kWidths = std::size(kBits);

// One format group whose width is to be chosen.
struct Map {
  int group = 0;
  Format formats[kWidths];
  double loss[kWidths] = {};    // Omega
  double saving[kWidths] = {};  // Phi
  size_t width = 0;             // index into kBits

  double score(size_t at, double lambda) const {
    return -lambda * loss[at] + (1 - lambda) * saving[at];
  }
};

class Search {
 public:
  Search(const Patched& patched, const Observed& observed, const std::vector<PatchClass>& classes,
         const VdqsOptions& options)
      : patched_(patched), net_(patched.net), options_(options), group_(format_groups(net_)) {
    for (const uint8_t bits : kBits) widths_ += bits >= options.least_bits;
    find_maps(classes);
    for (Map& map : maps_) measure(map, observed.tensors[map.group]);
    measure_savings();
  }

  Assignment run() {
    Assignment result;
    result.bitops_8 = bitops_at(0, net_.ops.size());
    result.stage_bitops_8 = bitops_at(0, patched_.tile_ops);
    result.lambda = options_.lambda ? *options_.lambda : largest_lambda(result.bitops_8);
    choose(result.lambda);
    if (options_.ram_bytes) fit(result.lambda);
    result.bitops = bitops_at(0, net_.ops.size());
    result.stage_bitops = bitops_at(0, patched_.tile_ops);
    result.formats = formats();
    return result;
  }

 private:
  // Groups that may change: no outlier tile, no fixed tensor in them.
  void find_maps(const std::vector<PatchClass>& classes) {
    const auto may = may_narrow(net_);
    std::set<int> fixed;
    bool any = false;
    for (const PatchClass& c : classes) any |= c.outlier;
    if (any) fixed.insert(group_[patched_.stage_output]);
    for (size_t i = 0; i < patched_.tile_ops; ++i)
      if (classes[static_cast<size_t>(patched_.tile_of[i])].outlier)
        for (const int id : {net_.ops[i].in0, net_.ops[i].in1, net_.ops[i].out})
          if (id >= 0) fixed.insert(group_[id]);
    for (size_t id = 0; id < net_.tensors.size(); ++id)
      if (group_[id] == static_cast<int>(id) && may[id] && !fixed.count(group_[id])) {
        map_of_[group_[id]] = maps_.size();
        maps_.emplace_back().group = group_[id];
      }
  }

  void measure(Map& map, const Histogram& values) {
    const int32_t zero_point = net_.tensors[map.group].zero_point;
    const double whole = entropy_bits(values);
    for (size_t i = 0; i < widths_; ++i) {
      map.formats[i] = fit_format(values, zero_point, kBits[i]);
      const double left = entropy_bits(stored_as(values, zero_point, map.formats[i]));
      map.loss[i] = std::max(0.0, std::exp2(-2 * left) - std::exp2(-2 * whole));
    }
  }

  // BitOPs of a map's layers, all tiles of a layer together: a tile's map holds a part
  // of the values and saves a part of the work, so the parts cancel.
  void measure_savings() {
    std::map<int, double> of_layer;
    for (const IntOp& op : net_.ops)
      of_layer[op.layer_id] += static_cast<double>(macs(net_, op) * op.weight_bits * 8);
    std::map<int, std::set<int>> readers;
    for (const IntOp& op : net_.ops) readers[group_[op.in0]].insert(op.layer_id);
    double most = 1;
    const auto work = [&](const Map& map) {
      double sum = 0;
      for (const int layer : readers[map.group]) sum += of_layer[layer];
      return sum;
    };
    for (const Map& map : maps_) most = std::max(most, work(map));
    for (Map& map : maps_)
      for (size_t i = 0; i < widths_; ++i) map.saving[i] = (1 - kBits[i] / 8.0) * work(map) / most;
  }

  void choose(double lambda) {
    for (Map& map : maps_) {
      map.width = 0;
      for (size_t i = 1; i < widths_; ++i)
        if (map.score(i, lambda) > map.score(map.width, lambda)) map.width = i;
    }
  }

  // Scores are linear in lambda, so BitOPs only grow with it.
  double largest_lambda(uint64_t before) {
    const auto reaches = [&](double lambda) {
      choose(lambda);
      return static_cast<double>(bitops_at(0, net_.ops.size())) * options_.reduction <=
             static_cast<double>(before);
    };
    if (!reaches(0))
      throw Error("{}: {:.2f} times fewer BitOPs cannot be reached; {:.2f} times at {} bits",
                  net_.name, options_.reduction,
                  static_cast<double>(before) /
                      static_cast<double>(bitops_at(0, net_.ops.size())),
                  kBits[widths_ - 1]);
    double low = 0, high = 1;
    for (int i = 0; i < 40; ++i) {
      const double middle = (low + high) / 2;
      (reaches(middle) ? low : high) = middle;
    }
    return low;
  }

  uint8_t bits_of(int id) const {
    const auto map = map_of_.find(group_[id]);
    return map == map_of_.end() ? net_.tensors[id].bits : kBits[maps_[map->second].width];
  }

  uint64_t bitops_at(size_t first, size_t last) const {
    uint64_t sum = 0;
    for (size_t i = first; i < last; ++i)
      sum += macs(net_, net_.ops[i]) * net_.ops[i].weight_bits * bits_of(net_.ops[i].in0);
    return sum;
  }

  std::vector<Format> formats() const {
    std::vector<Format> result;
    for (size_t id = 0; id < net_.tensors.size(); ++id) {
      const auto map = map_of_.find(group_[id]);
      const IntTensor& t = net_.tensors[id];
      result.push_back(map == map_of_.end() ? Format{t.bits, 1, t.zero_point}
                                            : maps_[map->second].formats[maps_[map->second].width]);
    }
    return result;
  }

  // Narrows maps alive at the fullest operator, the cheapest score per byte first, until
  // the placed arena fits.
  void fit(double lambda) {
    uint64_t limit = options_.ram_bytes;
    for (;;) {
      while (narrow_at_peak(limit, lambda)) {
      }
      IntNet placed = narrowed(net_, formats());
      place_tensors(placed);
      if (placed.arena_bytes <= options_.ram_bytes) return;
      const uint64_t excess = placed.arena_bytes - options_.ram_bytes;
      limit -= std::min(excess, limit);
      if (!narrow_at_peak(limit, lambda))
        throw Error("{}: RAM: the arena takes {} B, {} B available", net_.name, placed.arena_bytes,
                    options_.ram_bytes);
    }
  }

  // False when the peak fits or nothing at it can be narrowed.
  bool narrow_at_peak(uint64_t limit, double lambda) {
    IntNet now = net_;
    for (size_t id = 0; id < now.tensors.size(); ++id) now.tensors[id].bits = bits_of(static_cast<int>(id));
    const auto buffers = lifetimes(now);
    uint64_t peak = 0;
    uint32_t fullest = 0;
    for (uint32_t at = 0; at < now.ops.size(); ++at) {
      uint64_t live = 0;
      for (const Buffer& b : buffers)
        if (b.first_use <= at && at <= b.last_use) live += b.size_bytes;
      if (live > peak) peak = live, fullest = at;
    }
    if (peak <= limit) return false;
    Map* best = nullptr;
    double least = 0;
    for (size_t id = 0; id < buffers.size(); ++id) {
      const Buffer& b = buffers[id];
      const auto found = map_of_.find(group_[id]);
      if (b.size_bytes == 0 || b.first_use > fullest || b.last_use < fullest ||
          found == map_of_.end())
        continue;
      Map& map = maps_[found->second];
      if (map.width + 1 >= widths_) continue;
      const double price = (map.score(map.width, lambda) - map.score(map.width + 1, lambda)) / b.size_bytes;
      if (!best || price < least) best = &map, least = price;
    }
    if (!best) return false;
    ++best->width;
    return true;
  }

  const Patched& patched_;
  const IntNet& net_;
  const VdqsOptions& options_;
  const std::vector<int> group_;
  size_t widths_ = 0;
  std::vector<Map> maps_;
  std::map<int, size_t> map_of_;  // group -> maps_
};

}  // namespace

uint64_t bitops(const IntNet& net, size_t first_op, size_t last_op) {
  uint64_t sum = 0;
  for (size_t i = first_op; i < last_op; ++i)
    sum += macs(net, net.ops[i]) * net.ops[i].weight_bits * net.tensors[net.ops[i].in0].bits;
  return sum;
}

Assignment assign(const Patched& patched, const Observed& observed,
                  const std::vector<PatchClass>& classes, const VdqsOptions& options) {
  return Search(patched, observed, classes, options).run();
}

}  // namespace mcusim::patch
