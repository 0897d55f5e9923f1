// SPDX-License-Identifier: MIT
#include "sim/run/recording.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"

namespace mcusim {
namespace {

using Json = nlohmann::ordered_json;

Json parse(const std::string& text, const std::string& name) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw Error("{}: damaged trace facts: {}", name, error.what());
  }
}

}  // namespace

std::string to_json(const Recording& recording) {
  Json functions = Json::array();
  for (const auto& symbol : recording.functions)
    functions.push_back(Json::array({symbol.address, symbol.size_bytes, symbol.name}));
  return Json{{"board", recording.board}, {"facts", Json::parse(report::to_json(recording.facts))}, {"functions", functions},
              {"window", recording.window}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const RecordingEnd& end) {
  return Json{{"instructions", end.instructions}, {"cycles", end.cycles}, {"timing_table", end.timing_table},
              {"time_observed", end.time_observed}, {"run_instructions", end.run_instructions}, {"run_cycles", end.run_cycles},
              {"stretches", end.stretches}, {"left_out", end.left_out}}
      .dump();
}

Recording recording_from_json(const std::string& text, const std::string& name) {
  const Json in = parse(text, name);
  try {
    Recording out;
    out.board = in.at("board").get<std::string>();
    out.facts = report::from_json(in.at("facts").dump(), name);
    for (const auto& row : in.at("functions")) {
      Symbol symbol;
      symbol.address = row.at(0).get<uint32_t>();
      symbol.size_bytes = row.at(1).get<uint32_t>();
      symbol.name = row.at(2).get<std::string>();
      symbol.is_function = true;
      out.functions.push_back(std::move(symbol));
    }
    out.window = in.at("window").get<std::string>();
    std::stable_sort(out.functions.begin(), out.functions.end(),
                     [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
    return out;
  } catch (const Json::exception& error) {
    throw Error("{}: damaged trace facts: {}", name, error.what());
  }
}

RecordingEnd recording_end_from_json(const std::string& text, const std::string& name) {
  const Json in = parse(text, name);
  try {
    return {in.at("instructions").get<uint64_t>(), in.at("cycles").get<uint64_t>(),
            in.at("timing_table").get<std::string>(), in.at("time_observed").get<bool>(), in.at("run_instructions").get<uint64_t>(),
            in.at("run_cycles").get<uint64_t>(), in.at("stretches").get<uint64_t>(), in.at("left_out").get<uint64_t>()};
  } catch (const Json::exception& error) {
    throw Error("{}: damaged trace summary: {}", name, error.what());
  }
}

}  // namespace mcusim
