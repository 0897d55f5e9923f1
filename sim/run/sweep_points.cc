// SPDX-License-Identifier: MIT
#include "sim/run/sweep_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

// "a=x:y,b=z" as "a=x,b=z" and "a=y,b=z".
std::vector<std::string> alternatives(const std::string& place) {
  std::vector<std::string> all = {""};
  for (const auto& item : split(place, ',')) {
    const size_t equals = item.find('=');
    if (equals == std::string::npos) throw UsageError("--place: {}: expected WHAT=REGION[:REGION...]", item);
    std::vector<std::string> longer;
    for (const auto& before : all)
      for (const auto& region : split(item.substr(equals + 1), ':'))
        longer.push_back(fmt::format("{}{}{}={}", before, before.empty() ? "" : ",", item.substr(0, equals), region));
    all = std::move(longer);
  }
  return all;
}

std::vector<std::string> placements(const std::vector<std::string>& places) {
  if (places.empty()) return {""};
  std::vector<std::string> all;
  for (const auto& place : places)
    for (auto& one : alternatives(place)) all.push_back(std::move(one));
  return all;
}

uint64_t parse_clock(const std::string& text) {
  double mhz = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mhz);
  if (failure != std::errc{} || end != text.data() + text.size() || !(mhz >= 1 && mhz <= 10000))
    throw UsageError("--clock-mhz: '{}' is not a clock in MHz or 'all'", text);
  return static_cast<uint64_t>(std::llround(mhz * 1e6));
}

std::vector<uint64_t> clocks(const Board& board, const std::vector<std::string>& wanted) {
  std::vector<uint64_t> all;
  for (const auto& text : wanted) {
    if (text != "all") {
      all.push_back(parse_clock(text));
      continue;
    }
    for (const auto& preset : board.clocks) all.push_back(preset.core_hz);
  }
  if (wanted.empty()) all.push_back(board.clocks.front().core_hz);
  return all;
}

// What some board has.
struct Possible {
  std::set<uint64_t> clocks;
  std::set<std::string> places;
};

void settle(const Board& board, SweepPoint& point, Possible& possible) {
  const auto note = [&](const auto& attempt) {
    try {
      attempt();
    } catch (const Error& error) {
      if (point.problem.empty()) point.problem = error.what();
    }
  };
  note([&] {
    board.clock(point.core_hz);
    possible.clocks.insert(point.core_hz);
  });
  note([&] {
    const ImageOptions options = image_options(board, point);
    const auto or_board = [](const std::string& chosen, const std::string& boards) {
      return chosen.empty() ? boards : chosen;
    };
    point.code = or_board(options.kernels_region, board.code_region);
    point.weights = or_board(options.weights_region, board.code_region);
    point.arena = or_board(options.arena_region, board.arena_region);
    point.scratch = or_board(options.scratch_region, board.scratch_region);
    possible.places.insert(point.place);
  });
}

// A place or clock that no board has is a mistake, not a row.
void refuse_impossible(const std::vector<SweepPoint>& points, const Possible& possible) {
  for (const auto& point : points)
    if (!possible.places.contains(point.place) || !possible.clocks.contains(point.core_hz))
      throw UsageError("{}", point.problem);
}

}  // namespace

std::string SweepPoint::label() const {
  std::string text = fmt::format("{}_{:g}MHz_code-{}_weights-{}_arena-{}_scratch-{}_caches-{}", board_name,
                                 static_cast<double>(core_hz) / 1e6, code, weights, arena, scratch,
                                 caches ? "on" : "off");
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

ImageOptions image_options(const Board& board, const SweepPoint& point) {
  ImageOptions options;
  options.core_hz = point.core_hz;
  options.caches = point.caches;
  if (!point.place.empty()) apply_placement(board, point.place, options);
  return options;
}

std::vector<SweepPoint> sweep_points(const SweepMatrix& matrix) {
  const std::vector<bool> caches = matrix.caches.empty() ? std::vector<bool>{true} : matrix.caches;
  std::vector<SweepPoint> points;
  std::set<std::string> seen;
  Possible possible;
  for (const auto& board_name : matrix.boards) {
    const Board board = load_board(board_name);
    for (const uint64_t core_hz : clocks(board, matrix.clocks_mhz))
      for (const auto& place : placements(matrix.places))
        for (const bool cached : caches) {
          SweepPoint point{board_name, core_hz, place, cached, {}, {}, {}, {}, {}};
          settle(board, point, possible);
          if (seen.insert(point.problem.empty() ? point.label() : point.label() + place).second)
            points.push_back(std::move(point));
        }
  }
  refuse_impossible(points, possible);
  return points;
}

}  // namespace mcusim
